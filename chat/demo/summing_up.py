"""Sums up an older part of a conversation, as far as that goes without understanding a word of it."""

import re

from chat.demo.parts import Reply

SUMMARY_ASKED_FOR = "You write the summary"
LINE = re.compile(r"^(user|assistant|summary of what came before): (.+)$", re.MULTILINE)
WORDS = {"user": "The person said", "assistant": "The agent answered"}
LONGEST_LINE, LONGEST = 160, 1_200  # characters


def sum_up(told: str) -> Reply:
    """Return the beginnings of what was said, the newest ones where not all have room."""
    lines = []
    for who, text in LINE.findall(told):
        lines.append(f"{WORDS[who]}: {text[:LONGEST_LINE]}" if who in WORDS else text[:LONGEST])
    while len(lines) > 1 and sum(map(len, lines)) > LONGEST:
        del lines[0]
    return Reply("\n".join(lines) or "Nothing was said yet.")
