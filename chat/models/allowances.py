"""What is stored of how much a person may use."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce


class Allowance(models.Model):
    """What one person may use. The row without a user holds for everybody, wherever their own row says nothing.

    Null is "as by default"; in the default row it is "no limit".
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="allowance",
        help_text="Empty: the default, for everybody whose own allowance leaves a limit empty.",
    )  # fmt: skip
    live_runs = models.PositiveIntegerField("runs at the same time", null=True, blank=True)
    runs_an_hour = models.PositiveIntegerField("runs an hour", null=True, blank=True)
    tokens_a_day = models.PositiveBigIntegerField("tokens a day", null=True, blank=True)
    cost_a_day = models.DecimalField(
        "cost a day (USD)", max_digits=12, decimal_places=4, null=True, blank=True, validators=(MinValueValidator(0),)
    )

    class Meta:
        app_label = "chat"
        constraints = (
            # Null is never equal to null, so the default row needs a value that no user has.
            models.UniqueConstraint(
                Coalesce("user", 0), name="allowance_user", violation_error_message="There is a default already."
            ),
        )

    def __str__(self) -> str:
        return str(self.user) if self.user_id else "Default"


class SpentRun(models.Model):
    """What a run had used when its conversation was deleted, so that deleting gives nothing back. Kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spent_runs")
    at = models.DateTimeField(help_text="When the run was made.")
    tokens = models.PositiveBigIntegerField()
    cost = models.DecimalField("cost (USD)", max_digits=14, decimal_places=8)

    class Meta:
        app_label = "chat"
        indexes = (models.Index(fields=["user", "at"], name="spent_run_user"),)

    def __str__(self) -> str:
        return f"{self.tokens} tokens at {self.at:%Y-%m-%d %H:%M}"
