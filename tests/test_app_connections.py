"""The server under clients that are slow, silent or many."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import httpx
import pytest
import uvicorn

from app import endpoint, limits
from app.connections import Connection
from tests import app_project, malformed

pytestmark = pytest.mark.fault

HALF_HEADER = b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: "
HEADER = (
    b"POST /predict?model=cnn HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    b"Content-Type: multipart/form-data; boundary=xyz\r\n\r\n--xyz\r\n"
    b'Content-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
)
RED = malformed.picture("PNG", 20, app_project.RGB["red"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    app_project.create(folder)
    return folder


@pytest.fixture
def port(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve the endpoint."""
    monkeypatch.chdir(project)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        server = uvicorn.Server(
            uvicorn.Config(endpoint.api, http=Connection, log_level="error", timeout_keep_alive=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def send(port: int) -> Iterator:
    """Return a function that opens a connection and sends a little on it."""
    with contextlib.ExitStack() as opened:

        def send(content: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            opened.enter_context(connection)
            connection.sendall(content)
            return connection

        yield send


def ask(port: int) -> int:
    address = f"http://127.0.0.1:{port}/predict?model=cnn"
    return httpx.post(address, files={"images": ("a.png", RED)}, timeout=60).status_code


def is_open(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False


def ends(connection: socket.socket) -> bytes:
    """Return all that comes before the other side closes a connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(4096):
            received += part
    return received


@pytest.mark.parametrize("begun", [b"", HALF_HEADER, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET"])
def test_who_does_not_finish_a_header_is_cut_off(
    begun: bytes, send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEADER_TIMEOUT_S", 0.2)
    received = ends(send(begun))
    assert received.count(b"200 OK") == begun.count(b"\r\n\r\n")


def test_many_half_headers_shut_nobody_out(
    send, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLIENT_CONNECTIONS", 10)
    held = [send(HALF_HEADER) for _ in range(30)]
    assert ask(port) == 200
    left = [is_open(connection) for connection in held]
    assert left == sorted(left)  # the oldest are closed
    assert 8 <= sum(left) <= 10


def test_a_request_under_way_is_not_closed_for_want_of_room(
    send, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CLIENT_CONNECTIONS", 10)
    under_way = send(HEADER)
    sleep(0.2)  # until its header has been read
    held = [send(HALF_HEADER) for _ in range(30)]
    assert ask(port) == 200
    assert is_open(under_way)
    assert not is_open(held[0])


def test_all_clients_together_are_bounded_too(
    send, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 10)
    held = [send(HALF_HEADER) for _ in range(30)]
    assert ask(port) == 200
    assert sum(map(is_open, held)) <= 10


def test_slow_bodies_shut_nobody_out(send, port: int) -> None:
    slow = [send(HEADER) for _ in range(3 * limits.REQUESTS)]
    sleep(0.2)  # until their headers have been read
    assert ask(port) == 200
    assert all(map(is_open, slow))


def test_a_body_that_pauses(send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_PAUSE_S", 0.2)
    assert b"408 Request Timeout" in send(HEADER).recv(4096)


def test_a_body_that_drips(send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_PAUSE_S", 0.3)
    connection = send(HEADER)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(100):
            connection.sendall(b"x")
            sleep(0.05)
            if endpoint._Body.held_bytes == 0:
                break
    assert b"408 Request Timeout" in connection.recv(4096)


def test_bodies_are_bounded_together(send, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODIES_BYTES", 900)
    first = send(HEADER + b"x" * 800)
    sleep(0.2)
    assert b"503 Service Unavailable" in send(HEADER + b"x" * 200).recv(4096)
    first.close()
    sleep(0.2)
    assert endpoint._Body.held_bytes == 0
    assert ask(port) == 200
