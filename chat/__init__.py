"""The chat: conversations, runs, their trace, and the pages that show them."""
