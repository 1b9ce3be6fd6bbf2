"""Names the application for Django, and loads its checks and its tools."""

from django.apps import AppConfig
from django.conf import settings

from agentsite.env import WrongEnvironment


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        """Load the checks, and the tools: the built-in ones, and those of the modules that the site names."""
        import chat.checks  # noqa: F401  Each registers itself.
        import tools.builtin  # noqa: F401  Each registers itself.
        from tools.registry import registry

        try:
            registry.load(settings.TOOL_MODULES)
        except ImportError as error:
            raise WrongEnvironment(f"TOOL_MODULES: {error}.") from error
