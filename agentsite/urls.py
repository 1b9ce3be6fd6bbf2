"""The addresses of the site: the admin, signing in and the first start; everything else is the chat's."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView, PasswordChangeDoneView, PasswordChangeView
from django.http import Http404
from django.urls import include, path, re_path
from django.views.defaults import page_not_found

from agentsite.health import healthz
from agentsite.login import SignIn, StaffSignInForm
from agentsite.metrics import metrics
from agentsite.welcome import welcome

admin.site.login_form = StaffSignInForm

handler500 = "agentsite.server_error.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("welcome/<str:token>/", welcome, name="welcome"),
    path("accounts/login/", SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        PasswordChangeView.as_view(template_name="registration/password.html", success_url="done/"),
        name="password",
    ),
    path(
        "accounts/password/done/",
        PasswordChangeDoneView.as_view(template_name="registration/password_done.html"),
        name="password_done",
    ),
    # Django's way from a row to its public page tells any staff whether the row is there. Nothing here leads to it.
    re_path("^admin/r/", page_not_found, {"exception": Http404()}),
    path("admin/", admin.site.urls),
    path("", include("chat.urls")),
]
