"""What is remembered of a person."""

from django.conf import settings
from django.db import models

from chat.models.conversations import Message


class FactKind(models.TextChoices):
    FACT = "fact"
    PREFERENCE = "preference"


class Fact(models.Model):
    """Something remembered of a person: a fact (`text`), or a preference (`key` and `text`).

    `message` is the message in which it was said; null where it was typed on the settings page. Each change of
    the text makes a new `version`, so that a run can say which one it was given.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="facts")
    kind = models.CharField(max_length=10, choices=FactKind, default=FactKind.FACT)
    key = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=500)
    version = models.PositiveIntegerField(default=1)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="facts")
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["owner", "key"], condition=models.Q(kind=FactKind.PREFERENCE), name="preference_key"
            ),
            models.UniqueConstraint(fields=["owner", "text"], condition=models.Q(kind=FactKind.FACT), name="fact_text"),
        )
        indexes = (models.Index(fields=["owner", "kind", "id"], name="fact_owner"),)

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.kind == FactKind.PREFERENCE else self.text
