"""The admin: what people and the agent did, to be reviewed, and what is remembered, to be corrected."""

from django.contrib import admin

from chat.admin import accounts, conversations, endpoints, facts, runs

__all__ = ["accounts", "conversations", "endpoints", "facts", "runs"]

admin.site.site_header = admin.site.site_title = "agentsite"
admin.site.index_title = "Review"
