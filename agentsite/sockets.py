"""Daphne's server with a bound for each socket: who does not read makes the sender wait, who floods is closed.

Daphne itself keeps whatever is written for a client and queues whatever a client sends, without end.
"""

import asyncio
from typing import Any

from agentsite.server import DrainingServer  # isort:skip  It takes the main thread's event loop first.

from autobahn.exception import Disconnected
from daphne.ws_protocol import WebSocketProtocol

from agentsite.close_codes import TOO_MUCH

# More than a page may send in one go: whoever has as many waiting would be closed for its rate all the same.
WAITING_FRAMES = 64


class BoundedSocket(WebSocketProtocol):
    """A socket that knows whether there is room to write: Twisted pauses it while 64 kB wait, until they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self.room = asyncio.Event()
        self.room.set()

    def onOpen(self) -> None:  # noqa: N802  autobahn's name
        self.unregisterProducer()  # the HTTP channel that this was, which would stop reading as well
        self.registerProducer(self, streaming=True)
        super().onOpen()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803  autobahn's names
        if self.state != self.STATE_OPEN:
            return
        if self.application_queue.qsize() < WAITING_FRAMES:
            super().onMessage(payload, isBinary)
        else:
            self.sendClose(TOO_MUCH)

    def sendMessage(self, payload: bytes, isBinary: bool = False, **_: Any) -> None:  # type: ignore[override]  # noqa: N802, N803
        """Send a message of any size: autobahn's own would hold it to the bound of what clients may send."""
        if self.state != self.STATE_OPEN:
            raise Disconnected("The socket is closed.")
        self.sendFrame(opcode=2 if isBinary else 1, payload=payload)

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's names, here and below
        self.room.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.room.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.room.set()


class BoundedServer(DrainingServer):
    """Lets an application's `send` to a socket return when there is room for more, as other servers do."""

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send":
            await protocol.room.wait()
