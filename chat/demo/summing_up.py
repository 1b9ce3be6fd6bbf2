"""Sums up an older part of a conversation, as far as that goes without understanding a word of it."""

import re

from chat.demo.parts import Reply

SUMMARY_ASKED_FOR = "You write the summary"
SAID, ANSWERED = "The person said", "The agent answered"
WORDS = {"user": SAID, "assistant": ANSWERED}
LINE = re.compile(rf"^(?:summary of what came before: )?(user|assistant|{SAID}|{ANSWERED}): (.+)$", re.MULTILINE)
LONGEST_LINE, LONGEST = 160, 1_200  # characters


def sum_up(told: str) -> Reply:
    """Return the beginnings of what was said, the newest ones where not all have room."""
    lines = [f"{WORDS.get(who, who)}: {text[:LONGEST_LINE]}" for who, text in LINE.findall(told)]
    while len(lines) > 1 and sum(map(len, lines)) > LONGEST:
        del lines[0]
    return Reply("\n\n".join(lines) or "Nothing was said yet.")
