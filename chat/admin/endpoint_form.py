"""The form of an endpoint, by which its key comes in."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from agentsite.env import is_plain_url
from chat.keys import KeyLost
from chat.models import Endpoint


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """Takes a key in; whether there is one is all that it ever says of it."""

    key = forms.CharField(
        required=False, max_length=1000, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    forget_key = forms.BooleanField(required=False, help_text="The endpoint needs none any more.")

    class Meta:
        help_texts = {  # noqa: RUF012  Django's form.
            "base_url": "Such as https://api.openai.com/v1. With another one the key is dropped: type it again.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "key" in self.fields:
            self.fields["key"].help_text = f"It is {key_state(self.instance)}. What is typed here takes its place."

    def clean_base_url(self) -> str:
        base_url: str = self.cleaned_data["base_url"].rstrip("/")
        if not is_plain_url(base_url):
            raise ValidationError("Give an http:// or https:// address without password, query or fragment.")
        return base_url

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not (key.isascii() and key.isprintable()):  # it ends up in a header
            raise ValidationError("A key is one line of plain ASCII characters.")
        return key

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("key") and self.cleaned_data.get("forget_key"):
            raise ValidationError({"forget_key": "A key is typed above."})


def key_state(endpoint: Endpoint) -> str:
    """Say whether an endpoint has a key, in words, and nothing else of it."""
    try:
        return "set" if endpoint.unsealed_key() else "not set"
    except KeyLost:
        return "lost: it was saved under another SECRET_KEY or for another base URL"
