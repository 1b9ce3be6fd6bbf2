"""What is stored of the endpoints that are set up in the admin: where they are, their keys, their models."""

from collections.abc import Collection

from django.core.validators import MinValueValidator
from django.db import models, transaction

from chat.keys import seal, unseal

MARKS = ("small", "fallback")  # each is on one model of all at most


class Endpoint(models.Model):
    """An OpenAI-compatible endpoint.

    `sealed_key` is its key as chat.keys seals it, empty where it needs none. `abilities` is what is known of what it
    can do, by a test or by a refusal. `test_result` is what else the last test found: {"models": {name: tokens of its
    context or null}, "problems": [sentence]}.
    """

    name = models.CharField(max_length=60, unique=True)
    base_url = models.CharField("base URL", max_length=500)
    sealed_key = models.TextField(blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: as for the whole site."
    )
    max_concurrent = models.PositiveIntegerField(
        "requests at once", null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Empty: as for the whole site.",
    )  # fmt: skip
    abilities = models.JSONField(default=dict, blank=True, editable=False)
    tested = models.DateTimeField(null=True, blank=True, editable=False)
    test_result = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def set_key(self, key: str) -> None:
        """Keep a key for the base URL of now; "": none."""
        self.sealed_key = seal(key, self.base_url) if key else ""

    def unsealed_key(self) -> str:
        """Return the key, "" where there is none. Raises chat.keys.KeyLost."""
        return unseal(self.sealed_key, self.base_url) if self.sealed_key else ""


class EndpointModel(models.Model):
    """A model of an endpoint. Runs name their model alone, so a name belongs to one endpoint."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="models")
    name = models.CharField(max_length=200, unique=True, help_text="As the endpoint calls it.")
    offered = models.BooleanField(default=True, help_text="People may choose it.")
    position = models.PositiveIntegerField(default=0, help_text="The lowest is the default.")
    context_tokens = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: not known."
    )
    small = models.BooleanField(default=False, help_text="Writes titles and summaries. One model of all.")
    fallback = models.BooleanField(default=False, help_text="Answers where another model fails. One model of all.")

    class Meta:
        ordering = ("position", "pk")
        verbose_name = "model"
        constraints = (
            models.UniqueConstraint(fields=["small"], condition=models.Q(small=True), name="one_small_model"),
            models.UniqueConstraint(fields=["fallback"], condition=models.Q(fallback=True), name="one_fallback_model"),
        )

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: object, **kwargs: object) -> None:
        """A model that becomes the small one or the fallback takes that from the one that was it."""
        others = EndpointModel.objects.exclude(pk=self.pk)
        for mark in MARKS:
            if getattr(self, mark):
                others.filter(**{mark: True}).update(**{mark: False})
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Refuse no mark in a form, because `save` moves it."""
        super().validate_constraints({*(exclude or ()), *MARKS})
