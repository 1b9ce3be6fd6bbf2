"""The first start: the printed link makes the first account, an administrator's, and is dead from then on."""

from django import forms
from django.contrib.auth import login
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from agentsite.locks import Lock, hold_until_commit


class OwnerForm(forms.Form):
    username = UsernameField(max_length=150, validators=[User.username_validator])
    password = forms.CharField(strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    if not constant_time_compare(token, welcome_token()) or User.objects.exists():
        raise Http404
    form = OwnerForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "registration/welcome.html", {"form": form})
    login(request, make_owner(form.cleaned_data["username"], form.cleaned_data["password"]))
    return redirect("/")


def make_owner(name: str, password: str) -> User:
    """The first account: of two requests at once one is late."""
    with transaction.atomic():
        hold_until_commit(Lock.WELCOMING)
        if User.objects.exists():
            raise Http404
        return User.objects.create_superuser(name, password=password)


def welcome_path() -> str:
    return reverse("welcome", args=[welcome_token()])


def welcome_token() -> str:
    """Follows from the secret key, so the link stays the same until it is used, and nothing is stored."""
    return salted_hmac("agentsite.welcome", "the first account", algorithm="sha256").hexdigest()[:40]
