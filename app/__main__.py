"""Serve the page and the endpoint: python -m app."""

import argparse
import os
import socket

from imago.commands import _arguments
from imago.core import boundary
from imago.core.errors import AddressError

DEFAULT_PORT = 8501
KEEP_ALIVE_S = 20


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address; else %(default)s")
    parser.add_argument(
        "--port",
        type=_arguments.port,
        default=DEFAULT_PORT,
        help="0 for any that is free; else %(default)s",
    )
    parser.add_argument("--endpoint-only", action="store_true", help="without the page")
    chosen = parser.parse_args()
    return boundary.run("app", lambda: _serve(chosen.host, chosen.port, chosen.endpoint_only))


def _serve(host: str, port: int, endpoint_only: bool) -> int:
    import uvicorn  # here, for it takes a while, and interrupting it is to end in one line

    from app import connections, limits, memory
    from imago.photos import decoding

    listener = _listen(host, port)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    application = "app.endpoint:api" if endpoint_only else "app.server:application"
    url = f"http://{_shown(host, listener.getsockname()[1])}"
    print(f"{url}/predict takes images; {url}/openapi.json describes it", flush=True)
    if not endpoint_only:
        print(f"{url} is the page; stop with Ctrl+C", flush=True)
    memory.bound()
    config = uvicorn.Config(
        application,
        http=connections.Connection,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        backlog=connections.backlog(),
        ws_max_size=limits.MESSAGE_BYTES,
        server_header=False,
    )
    try:
        with decoding.quiet():
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # which uvicorn raises again after it has closed all connections
        return boundary.INTERRUPTED
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take an address, of IPv4 or IPv6. Raises AddressError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        reason, *_ = (error.strerror or str(error)).split(" (while ")  # what Python adds
        message = f"{_shown(host, port)}: {reason}; give another with --host or --port"
        raise AddressError(message) from error
    except UnicodeError as error:  # of a name that cannot be one in the DNS
        message = f"--host must be an address or a host's name, got {host!r}"
        raise AddressError(message) from error


def _shown(host: str, port: int) -> str:
    return f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    raise SystemExit(main())
