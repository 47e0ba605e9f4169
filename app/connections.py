"""What a connection may take before its request has come as a whole, over what uvicorn bounds.

A client that sends half a header, or a body by drops, costs a file descriptor for as long as the
server is patient. So headers have a time limit and bodies a slowest rate. Of the connections that
are waited for there are only so many, of each client and in all; one more closes the one from which
nothing has come for the longest. Nobody is turned away, and what was sent as a whole is answered:
in an office behind one address, that is an idle connection of a browser, which opens another.
"""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app import limits

LEAST_BACKLOG = 16
"""Fewer, and the system refuses connections while others are taken."""


class Waiting:
    """The connections that are waited for, of each client in the order of what came last."""

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[Connection, None]] = {}
        self._count = 0
        self._is_trimming = False

    def put(self, connection: Connection) -> None:
        """Note that something came from a connection, and close others where there is no room."""
        of_client = self._of.setdefault(connection.address, OrderedDict())
        self._count += connection not in of_client
        of_client[connection] = None
        of_client.move_to_end(connection)
        is_over = len(of_client) > limits.WAITING_OF_CLIENT or self._count > room()
        if is_over and not self._is_trimming:
            self._is_trimming = True
            # In the loop's next turn but one, when what has come in the meantime is read.
            loop = connection.loop
            loop.call_soon(loop.call_soon, self._trim)

    def _trim(self) -> None:
        self._is_trimming = False
        for of_client in list(self._of.values()):
            while len(of_client) > limits.WAITING_OF_CLIENT:
                next(iter(of_client)).end()
        while self._count > room():
            largest = max(self._of, key=lambda address: len(self._of[address]))
            next(iter(self._of[largest])).end()

    def drop(self, connection: Connection) -> None:
        """Note that a connection is closed, or its request there as a whole."""
        of_client = self._of.get(connection.address, OrderedDict())
        if connection in of_client:
            del of_client[connection]
            self._count -= 1
        if not of_client:
            self._of.pop(connection.address, None)


def room() -> int:
    """Return how many connections may be waited for: a fourth of the files that may be open."""
    return min(limits.WAITING, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)


def backlog() -> int:
    """Return how many may be taken at once, before those that are too many are closed."""
    return max(LEAST_BACKLOG, room() // 4)


class Connection(H11Protocol):
    """A connection that is closed when it keeps the server waiting."""

    waiting = Waiting()
    address = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timers: dict[Literal["header", "body", "write"], asyncio.TimerHandle] = {}
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a header."""
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Go on with what came."""
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn itself closes the connection if none begins."""
        super().on_response_complete()
        self._watch(is_idle=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._settle()
        self._cancel("write")
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to another protocol."""
        self._settle()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """Wait for a client that does not read."""
        super().pause_writing()
        self._timers["write"] = self.loop.call_later(limits.WRITE_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._cancel("write")
        super().resume_writing()

    def end(self) -> None:
        """Close the connection, with a word where there is a request that has no answer."""
        self._settle()
        if self.conn.our_state is h11.SEND_RESPONSE:
            headers = [(b"connection", b"close"), (b"content-length", b"0")]
            response = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
            self.transport.write(self.conn.send(response) or b"")
        self.transport.close()

    def _watch(self, *, is_idle: bool = False) -> None:
        """Set the timers that belong to what is waited for: a header, a body, or nothing."""
        state = self.conn.their_state
        is_upgraded = self not in self.connections
        if self.transport.is_closing() or is_upgraded or state not in (h11.IDLE, h11.SEND_BODY):
            self._settle()
            return
        self.waiting.put(self)
        if state is h11.SEND_BODY:
            self._cancel("header")
            if "body" not in self._timers:
                self._wait_for_body()
        else:
            self._cancel("body")
            if "header" not in self._timers and not is_idle:
                self._timers["header"] = self.loop.call_later(limits.HEADER_TIMEOUT_S, self.end)

    def _wait_for_body(self) -> None:
        self._received = 0
        self._timers["body"] = self.loop.call_later(limits.BODY_PAUSE_S, self._check_body)

    def _check_body(self) -> None:
        """Close the connection where too little came; not where it is the server that is slow."""
        enough = self._received >= limits.BODY_BYTES_PER_S * limits.BODY_PAUSE_S
        if enough or self.flow.read_paused:
            self._wait_for_body()
        else:
            self.end()

    def _settle(self) -> None:
        self.waiting.drop(self)
        self._cancel("header")
        self._cancel("body")

    def _cancel(self, what: Literal["header", "body", "write"]) -> None:
        if timer := self._timers.pop(what, None):
            timer.cancel()
