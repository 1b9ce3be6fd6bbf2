"""The addresses of the chat."""

from django.urls import path

from chat.models import FactKind
from chat.views import chat, conversations_edit, polling, runs, settings

app_name = "chat"

urlpatterns = [
    path("", chat.new_chat, name="new"),
    path("c/", chat.start, name="start"),
    path("c/<uuid:pk>/", chat.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", chat.earlier_messages, name="messages"),
    path("c/<uuid:pk>/frames/", polling.frames, name="frames"),
    path("c/<uuid:pk>/edit/", conversations_edit.edit, name="edit"),
    path("c/<uuid:pk>/delete/", conversations_edit.delete, name="delete"),
    path("conversations/", chat.conversations, name="conversations"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<uuid:pk>/", runs.run, name="run"),
    path("runs/<uuid:pk>/steps/", runs.steps, name="steps"),
    path("runs/<uuid:pk>/steps/<int:number>/<slug:field>/", runs.step_field, name="step_field"),
    path("settings/", settings.settings, name="settings"),
    path("settings/facts/", settings.add, {"kind": FactKind.FACT}, name="facts"),
    path("settings/preferences/", settings.add, {"kind": FactKind.PREFERENCE}, name="preferences"),
    path("settings/facts/<int:pk>/", settings.shown, name="fact"),
    path("settings/facts/<int:pk>/edit/", settings.edit, name="fact_edit"),
    path("settings/facts/<int:pk>/delete/", settings.delete, name="fact_delete"),
    path("settings/appearance/", settings.appearance, name="appearance"),
]
