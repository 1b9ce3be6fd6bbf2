"""A field for JSON that comes back as it was stored: the order of its keys, and how its numbers are written.

PostgreSQL's jsonb, which Django's own field takes, keeps neither, and a request that is made again from rows would not
be the same bytes. Its json does. That cannot be compared or searched as a whole, so what stands at a key is text.
"""

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.json import KeyTextTransform


class KeptJSONField(models.JSONField):
    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return json.dumps(value, cls=self.encoder)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """Read what SQLite gives as text; PostgreSQL's client has read it already."""
        if connection.vendor == "postgresql":
            return value
        return super().from_db_value(value, expression, connection)

    def get_transform(self, lookup_name: str) -> Any:
        """Make `field__key="text"` a comparison of text."""
        return lambda *args, **kwargs: _At(lookup_name, *args, **kwargs)


class _At(KeyTextTransform):
    def get_lookup(self, lookup_name: str) -> Any:
        return models.TextField().get_lookup(lookup_name)
