"""The Markdown of an answer to safe HTML."""

from chat.markdown.html import render

__all__ = ["render"]
