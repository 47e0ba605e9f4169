import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app import __main__ as app_main

ROOT = Path(__file__).parents[1]


def test_a_port_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["app", "--port", str(port)])
        assert app_main.main() == 1
    said = capsys.readouterr().err
    assert said == f"127.0.0.1:{port}: Address already in use; give another with --port\n"


def test_the_endpoint_alone_until_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--port", "0", "--endpoint-only"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split("/predict")[0]
        answer = httpx.get(f"{address}/health", timeout=60)
        assert answer.json() == {"status": "ok", "models": 0}
        assert httpx.get(f"{address}/models").json() == {"models": []}
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    # A shell has processes in its background ignore the signal, but for what the server does.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert (process.returncode, rest, errors) == (0 if ignored else 130, "", "")
