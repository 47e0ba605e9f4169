"""Connections on which no request comes: uvicorn by itself holds them for ever, however many.

A client that sends half a header, or nothing, on a thousand connections would take all that a
process may have.
"""

import asyncio
import resource
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from app import limits


class Connection(H11Protocol):
    """As uvicorn's, but closed where a header takes too long, or others need the room."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.idle_since_s = self.loop.time()
        self._header_is_late: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way; one that went over to a WebSocket is not ours."""
        return self in self.connections and (self.cycle is None or self.cycle.response_complete)

    @property
    def address(self) -> str | None:
        """Of the client, without its port."""
        return self.client[0] if self.client else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a header."""
        super().connection_made(transport)
        self._wait()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take what came, be it a part of a header, a header or a part of a body."""
        waits = self._header_is_late is not None
        super().data_received(data)
        if not self.is_idle:
            self._stop_waiting()
        elif not waits:
            self._wait()

    def on_response_complete(self) -> None:
        """Wait for another request, as long as uvicorn does."""
        self.idle_since_s = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._header_is_late = self.loop.call_later(limits.HEADER_TIMEOUT_S, self._close)

    def _stop_waiting(self) -> None:
        if self._header_is_late is not None:
            self._header_is_late.cancel()
            self._header_is_late = None

    def _close(self) -> None:
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has been idle for longest where there are too many.

        Of this client first: a good request of its own, too, gets through.
        """
        everyone = cast("set[Connection]", self.connections)
        of_client = [one for one in everyone if one.address == self.address]
        for group, most in ((of_client, limits.CLIENT_CONNECTIONS), (everyone, _most())):
            if len(group) > most:
                idle = [one for one in group if one.is_idle and one is not self]
                min(idle, key=lambda one: one.idle_since_s, default=self)._close()


def _most() -> int:
    """Leave half of the files that the process may open to requests, models and WebSockets."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(limits.CONNECTIONS, allowed // 2)
