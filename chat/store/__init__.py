"""The only writer of messages, runs and steps. Each function is one transaction's work, done inside it."""

from chat.store.branches import continue_run, edit, regenerate, show
from chat.store.counters import Refused, StaleOwner, raise_conversation, raise_run, within_run
from chat.store.deletion import delete_accounts, delete_conversations
from chat.store.events import apply, flush
from chat.store.forks import fork
from chat.store.jobs import enqueue_forgotten
from chat.store.leases import ask_to_stop, give_up, renew, take_queued
from chat.store.messages import Sent, send, start_conversation
from chat.store.queue import put_first, unqueue
from chat.store.takeover import busy, end_abandoned, end_waiting, take_over

__all__ = [
    "Refused",
    "Sent",
    "StaleOwner",
    "apply",
    "ask_to_stop",
    "busy",
    "continue_run",
    "delete_accounts",
    "delete_conversations",
    "edit",
    "end_abandoned",
    "end_waiting",
    "enqueue_forgotten",
    "flush",
    "fork",
    "give_up",
    "put_first",
    "raise_conversation",
    "raise_run",
    "regenerate",
    "renew",
    "send",
    "show",
    "start_conversation",
    "take_over",
    "take_queued",
    "unqueue",
    "within_run",
]
