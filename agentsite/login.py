"""Signing in: Django's own views and forms, with a limit on attempts for each account and each address."""

import math
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse

from agentsite.throttle import Throttle

WINDOW = 5 * 60
of_account = Throttle(limit=5, seconds=WINDOW)
of_address = Throttle(limit=20, seconds=WINDOW)


class _Throttled(AuthenticationForm):
    """Counts an attempt before looking at the password: many at once get no more tries than one by one."""

    def clean(self) -> dict[str, Any]:
        if self.request is None:
            raise TypeError("A form that counts attempts needs the request they come with.")
        # By the name that was typed, whether or not there is such an account: both answer alike.
        account = self.cleaned_data.get("username", "").casefold()
        address = address_of(self.request)
        wait = of_address.attempt(address) or of_account.attempt(account)
        if wait:
            raise ValidationError(f"Too many attempts. Try again in {in_words(wait)}.", code="throttled")
        cleaned = super().clean()
        if self.get_user():  # and not where a field is missing, of which Django says nothing here
            of_account.forget(account)
            of_address.give_back(address)
        return cleaned


class SignInForm(_Throttled):
    """For everybody, on our own page."""


class StaffSignInForm(_Throttled, AdminAuthenticationForm):
    """For the admin's own page, which lets only staff in."""


class SignIn(LoginView):
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, "throttled"):
            response.status_code = 429
        return response


def address_of(request: HttpRequest) -> str:
    """Who asks: the connection's other end, or what the proxy before us saw. IPv6 counts by its /64."""
    said = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_HTTPS:
        # Each proxy appends the address it saw, so only the last entry was not written by the client.
        said = str(request.META.get("HTTP_X_FORWARDED_FOR", said)).rsplit(",", 1)[-1].strip()
    try:
        address = ip_address(said)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def in_words(seconds: float) -> str:
    if seconds <= 60:
        return "a minute"
    return f"{math.ceil(seconds / 60)} minutes"
