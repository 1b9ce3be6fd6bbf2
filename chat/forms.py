"""The forms of the settings page and of a conversation, with what they accept."""

from collections.abc import Mapping
from typing import ClassVar

from django import forms
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from chat import facts, preferences
from chat.facts import MAX_TEXT
from chat.models import Conversation, Fact, FactKind, Mode

MAX_INSTRUCTIONS = 20_000

Posted = Mapping[str, str] | None


class OneLine(forms.CharField):
    """Text in which every stretch of white space is one blank."""

    def to_python(self, value: object) -> str:
        return " ".join(str(super().to_python(value)).split())


class FactForm(forms.Form):
    """A new fact of a person, or a change of the one that is given."""

    kind: ClassVar[FactKind] = FactKind.FACT
    text = OneLine(label="Fact", max_length=MAX_TEXT)

    def __init__(self, owner: User, posted: Posted = None, fact: Fact | None = None) -> None:
        initial = {"key": fact.key, "text": fact.text} if fact else {}
        name = f"{self.kind}-{fact.pk}" if fact else f"new-{self.kind}"
        super().__init__(posted, initial=initial, auto_id=f"{name}-%s")
        self.owner = owner
        self.fact = fact

    def clean(self) -> None:
        super().clean()
        if not self.errors:
            self._fit()

    def write(self) -> bool:
        """Store what is valid. False, with an error in the form, where another tab was quicker."""
        try:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=self.owner.pk)  # one at a time, or the limit would not hold
                self._fit()
                if self.is_valid():
                    self._write()
        except IntegrityError:
            self.add_error(None, facts.KNOWN)
        return self.is_valid()

    def _fit(self) -> None:
        """Put what was typed into its form, or say what is wrong with it."""
        place = facts.Place(self.owner.pk, self.kind, self.fact.pk if self.fact else None)
        try:
            key, text = place.fit(self.cleaned_data.get("key", ""), self.cleaned_data["text"])
        except facts.Unfit as unfit:
            self.add_error(unfit.field or None, str(unfit))
        else:
            self.cleaned_data |= {"key": key, "text": text}

    def _write(self) -> None:
        if not self.fact:
            self.fact = Fact.objects.create(owner=self.owner, kind=self.kind, **self.cleaned_data)
        elif self.has_changed():
            # From now on it says what was typed here, so it does not come from a message any more.
            changed = {"version": F("version") + 1, "message": None, "updated": timezone.now()}
            Fact.objects.filter(pk=self.fact.pk).update(**self.cleaned_data, **changed)


class PreferenceForm(FactForm):
    """A new preference of a person, or a change of the one that is given."""

    kind = FactKind.PREFERENCE
    field_order = ("key", "text")
    key = OneLine(
        label="Name",
        max_length=preferences.MAX_KEY,
        widget=forms.TextInput(attrs={"list": "known-preferences", "autocapitalize": "none", "spellcheck": "false"}),
    )
    text = OneLine(label="Value", max_length=MAX_TEXT)


class ThemeForm(forms.Form):
    THEMES: ClassVar = {"system": "As the system", "light": "Light", "dark": "Dark"}

    theme = forms.ChoiceField(choices=THEMES)


class ConversationForm(forms.Form):
    """What the owner of a conversation may change of it."""

    title = OneLine(max_length=200)
    instructions = forms.CharField(
        required=False,
        max_length=MAX_INSTRUCTIONS,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="What the agent is told before every message here, such as who it is writing for.",
    )
    mode = forms.ChoiceField(
        required=False,
        choices=Mode.choices,
        help_text="ReAct: a short thought before each act and before the answer, and a few more tokens.",
    )
    pinned = forms.BooleanField(required=False, label="Pin it to the top of the list")
    archived = forms.BooleanField(
        required=False, label="Archive it", help_text="It leaves the list. A search still finds it."
    )

    def __init__(self, conversation: Conversation, posted: Posted = None) -> None:
        super().__init__(posted, initial={name: getattr(conversation, name) for name in self.base_fields})
        self.conversation = conversation

    def write(self) -> None:
        """Store what was changed, in one statement that also raises the revision, so that open pages learn of it."""
        if self.has_changed():
            changed = {name: self.cleaned_data[name] for name in self.changed_data}
            Conversation.objects.filter(pk=self.conversation.pk).update(revision=F("revision") + 1, **changed)
