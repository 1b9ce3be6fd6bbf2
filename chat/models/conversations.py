"""Conversations and what is said in them."""

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse


class Mode(models.TextChoices):
    PLAIN = "", "Plain"
    REACT = "react", "ReAct"


class Conversation(models.Model):
    """One chat of one person. `revision` counts the changes of what its list of messages shows.

    The list is the path from a first message down to `leaf`; what branches off it is kept, and can be shown again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200)
    model = models.CharField(max_length=200, blank=True, help_text="Empty: the default model.")
    mode = models.CharField(max_length=10, choices=Mode, blank=True, help_text="ReAct: it thinks in the open.")
    instructions = models.TextField(blank=True, help_text="Joined to the system prompt of every run here.")
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    leaf = models.ForeignKey(
        "Message", models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="The last message that is shown. Empty: the newest.",
    )  # fmt: skip
    revision = models.PositiveBigIntegerField(default=0)
    anew = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="The revision at which its list last became another one, not just longer."
    )
    created = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["owner", "archived", "-pinned", "-updated"], name="conversation_list"),)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("chat:conversation", args=[self.pk])


class Role(models.TextChoices):
    USER = "user"
    ASSISTANT = "assistant"
    SUMMARY = "summary"


class Message(models.Model):
    """What a person or the agent said. `parent` is the message before it; `born` the revision that made it.

    Several messages after the same one are branches: a question edited, an answer regenerated. A message is always
    older than those below it, so the order of ids is the order of each branch.
    A `summary` stands for older turns, which do not fit into the model's window any more. It hangs on the answer during
    which it was written; when more turns do not fit, a later answer gets the next `version`. Each is a step of a trace.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    version = models.PositiveIntegerField(default=1)
    client_id = models.CharField(  # noqa: DJ001  Null where nobody sent it, so that it need not be unique there.
        max_length=64, null=True, blank=True, help_text="Made by the sender, so that a resend is harmless."
    )
    born = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField()
    created = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "client_id"], name="message_client_id"),)
        indexes = (
            models.Index(fields=["conversation", "revision"], name="message_revision"),
            models.Index(fields=["owner", "created"], name="message_owner"),
            models.Index(fields=["conversation", "parent"], name="message_siblings"),
        )

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"
