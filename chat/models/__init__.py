"""What is stored, by subject: conversations and messages, runs, steps, facts; what people may use; endpoints."""

from chat.models.allowances import Allowance, SpentRun
from chat.models.conversations import Conversation, Message, Mode, Role
from chat.models.endpoints import Endpoint, EndpointModel
from chat.models.facts import Fact, FactKind
from chat.models.runs import BUSY, CUT_SHORT, IS_LIVE, LIVE, Run, RunStatus, StopReason
from chat.models.steps import Payload, Step, StepKind, StepStatus, ToolCall

__all__ = [
    "BUSY",
    "CUT_SHORT",
    "IS_LIVE",
    "LIVE",
    "Allowance",
    "Conversation",
    "Endpoint",
    "EndpointModel",
    "Fact",
    "FactKind",
    "Message",
    "Mode",
    "Payload",
    "Role",
    "Run",
    "RunStatus",
    "SpentRun",
    "Step",
    "StepKind",
    "StepStatus",
    "StopReason",
    "ToolCall",
]
