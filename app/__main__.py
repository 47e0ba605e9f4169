"""Serve the page and the endpoint: python -m app."""

import argparse
import os
import socket
import sys

import uvicorn

from imago.photos import decoding

DEFAULT_PORT = 8501
KEEP_ALIVE_S = 20


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address; else %(default)s")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="0 for any that is free; else %(default)s"
    )
    parser.add_argument("--endpoint-only", action="store_true", help="without the page")
    chosen = parser.parse_args()
    try:
        listener = socket.create_server((chosen.host, chosen.port))
    except OSError as error:
        where = f"{chosen.host}:{chosen.port}"
        print(f"{where}: {_reason(error)}; give another with --port", file=sys.stderr)
        return 1
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    application = "app.endpoint:api" if chosen.endpoint_only else "app.server:application"
    url = f"http://{chosen.host}:{listener.getsockname()[1]}"
    print(f"{url}/predict takes images; {url}/openapi.json describes it", flush=True)
    if not chosen.endpoint_only:
        print(f"{url} is the page; stop with Ctrl+C", flush=True)
    config = uvicorn.Config(
        application, log_level="warning", timeout_keep_alive=KEEP_ALIVE_S, server_header=False
    )
    try:
        with decoding.quiet():
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:  # which uvicorn raises again after it has closed all connections
        return 130  # 128 + SIGINT, as shells have it
    return 0


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


if __name__ == "__main__":
    raise SystemExit(main())
