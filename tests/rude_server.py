"""A local server that misbehaves below http: each path is answered with bytes as they are."""

import contextlib
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_PIECES = 100_000
"""An answer without end has one, lest a test that fails never ends."""

Answer = Callable[["int"], Iterator[bytes]]
"""From the first byte that is asked for to the pieces that are sent, one by one."""


@dataclass
class RudeServer:
    """What it answers, what it was asked, and how many bytes it could send."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    url: str = ""


@contextmanager
def serving() -> Iterator[RudeServer]:
    rude = RudeServer()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            path = self.rfile.readline().split()[1].decode()
            first = 0
            for line in iter(self.rfile.readline, b"\r\n"):
                if line.lower().startswith(b"range: bytes="):
                    first = int(line[13:].split(b"-")[0])
            rude.asked.append(path)
            with contextlib.suppress(OSError):  # the client has left
                for _, piece in zip(range(MOST_PIECES), rude.answers[path](first), strict=False):
                    self.wfile.write(piece)
                    rude.sent_bytes += len(piece)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        rude.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield rude
        finally:
            server.shutdown()
            thread.join()
