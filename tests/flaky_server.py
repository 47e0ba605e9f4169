"""A local http server that fails in the ways servers do, and remembers what it was asked."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Status:
    """Answers with a status and no file."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True)
class Truncate:
    """Promises the whole body and closes the connection after `length` bytes."""

    length: int


@dataclass(frozen=True)
class Stall:
    """Sends `length` bytes, then nothing more until the client has lost patience."""

    length: int


@dataclass(frozen=True)
class Replace:
    """Changes the file, then answers as usual."""

    content: bytes


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("Range")


@dataclass
class FlakyServer:
    """What the server has, how it behaves, and what it saw.

    Attributes:
        files: Path: content.
        script: Path: what happens to its first requests; after that all goes well.
        ranges: Whether range requests are honoured.
        etags: Whether files have an ETag.
        content_types: Path: Content-Type, where one matters.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    script: dict[str, list[Any]] = field(default_factory=dict)
    ranges: bool = True
    etags: bool = True
    encoding: str | None = None
    content_types: dict[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    patience_is_lost: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    @property
    def range_headers(self) -> list[str | None]:
        return [request.range for request in self.requests]


@contextmanager
def serving() -> Iterator[FlakyServer]:
    server = FlakyServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.patience_is_lost.set()
        http.shutdown()
        http.server_close()
        thread.join()


def _handler(server: FlakyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests.append(Request(self.path, dict(self.headers)))
            script = server.script.get(self.path, [])
            step = script.pop(0) if script else None
            if isinstance(step, Replace):
                server.files[self.path] = step.content
            if isinstance(step, Status):
                self.fail(step.status, step.retry_after)
            elif self.path not in server.files:
                self.fail(404)
            else:
                self.send_file(server.files[self.path], step)

        def fail(self, status: int, retry_after: str | None = None, **headers: str) -> None:
            self.send_response(status)
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send_file(self, content: bytes, step: Any) -> None:
            first = self.first_byte(content)
            if first and first >= len(content):
                self.fail(416, Content_Range=f"bytes */{len(content)}")
                return
            body = content[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(body)))
            if first:
                self.send_header(
                    "Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}"
                )
            if server.etags:
                self.send_header("ETag", _etag(content))
            if server.encoding:
                self.send_header("Content-Encoding", server.encoding)
            self.send_header("Content-Type", server.content_types.get(self.path, "text/html"))
            self.end_headers()
            if isinstance(step, (Truncate, Stall)):
                body = body[: step.length]
            self.wfile.write(body)
            self.wfile.flush()
            if isinstance(step, Stall):
                server.patience_is_lost.wait()
            self.close_connection = True

        def first_byte(self, content: bytes) -> int:
            wanted = self.headers.get("Range")
            version = self.headers.get("If-Range")
            if not server.ranges or wanted is None or version not in (None, _etag(content)):
                return 0
            return int(wanted.removeprefix("bytes=").removesuffix("-"))

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output quiet."""

    return Handler


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'
