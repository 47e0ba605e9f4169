import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from app import connections, limits

pytestmark = pytest.mark.fault

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "
LATER = threading.Event()
SLOW = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nfive."


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer with its length, to /later when LATER is set."""
    if scope["path"] == "/later":
        await asyncio.to_thread(LATER.wait)
    count, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        count, more = count + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(count).encode()})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(limits, "WAITING_OF_CLIENT", 5)
    monkeypatch.setattr(limits, "HEADER_TIMEOUT_S", 600)
    monkeypatch.setattr(limits, "BODY_PAUSE_S", 600)
    monkeypatch.setattr(connections.Connection, "waiting", connections.Waiting())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            application, http=connections.Connection, log_level="warning", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def opened(port: int, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            one.sendall(sent)
            found.append(one)
        yield found


def said(one: socket.socket) -> bytes:
    """What the server says until it closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := one.recv(1000):
            received += part
    return received


def is_answered(port: int) -> bool:
    return httpx.post(f"http://127.0.0.1:{port}", content=b"abc", timeout=30).text == "3"


@pytest.mark.parametrize("sent", [HALF, SLOW, b""])
def test_one_more_that_is_waited_for_closes_the_oldest(port: int, sent: bytes) -> None:
    with opened(port, 40, sent) as slow:
        assert is_answered(port)
        for one in slow[:34]:
            said(one)  # has an end
        slow[-1].settimeout(0.05)
        with pytest.raises(TimeoutError):
            slow[-1].recv(1)


def test_half_a_header_has_its_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_TIMEOUT_S", 0.1)
    with opened(port, 1, HALF) as (one,):
        assert said(one) == b""
    assert connections.Connection.waiting._of == {}


def test_a_body_by_drops_is_told_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_PAUSE_S", 0.1)
    with opened(port, 1, SLOW) as (one,):
        assert said(one).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_a_body_that_goes_on_is_read(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_PAUSE_S", 0.2)
    monkeypatch.setattr(limits, "BODY_BYTES_PER_S", 5)
    with opened(port, 1, SLOW) as (one,):
        for _ in range(199):
            time.sleep(0.003)
            one.sendall(b"five.")
        assert one.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_connections_that_stay_open_may_ask_again(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert [client.post("/", content=bytes(n)).text for n in (0, 9, 10**6)] == [
            "0",
            "9",
            "1000000",
        ]


def test_what_is_there_as_a_whole_is_never_closed_for_another(port: int) -> None:
    LATER.clear()
    with opened(port, 1, b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n") as (one,):
        with opened(port, 40, HALF):
            assert is_answered(port)
        LATER.set()
        assert one.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
