"""The addresses of sockets."""

from django.urls import path

from chat.consumers import ConversationConsumer

websocket_urlpatterns = [path("ws/conversations/<uuid:id>/", ConversationConsumer.as_asgi())]
