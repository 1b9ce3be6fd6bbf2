"""What goes on in this process at the moment, for Prometheus: each is read when it is asked for."""

from prometheus_client import Gauge

from chat import db, runs, sessions
from tools.calls import THREADS, abandoned

LIVE_RUNS = Gauge("agentsite_live_runs", "Runs that this process works on.")
LIVE_RUNS.set_function(lambda: len(runs.live))

OPEN_SOCKETS = Gauge("agentsite_open_sockets", "Sockets of pages that are open here.")
OPEN_SOCKETS.set_function(lambda: len(sessions.open_sockets))

WRITES_WAITING = Gauge("agentsite_writes_waiting", "Writes that wait for the one thread that writes.")
WRITES_WAITING.set_function(db.writes_waiting)

TOOL_THREADS = Gauge(
    "agentsite_tool_threads",
    f"Threads of plain tools: busy of {THREADS.size} places, held of those by tools that never came back, "
    "leaked beside them, and calls that wait for a place.",
    ["state"],
)
TOOL_THREADS.labels("busy").set_function(lambda: THREADS.busy)
TOOL_THREADS.labels("held").set_function(lambda: THREADS.held)
TOOL_THREADS.labels("leaked").set_function(lambda: THREADS.leaked)
TOOL_THREADS.labels("waiting").set_function(lambda: THREADS.waiting)

ABANDONED = Gauge("agentsite_tool_tasks_abandoned", "Async tools that were cancelled and are not over.")
ABANDONED.set_function(lambda: len(abandoned))
