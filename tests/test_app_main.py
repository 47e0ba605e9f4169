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
    assert said == (
        f"app: 127.0.0.1:{port}: Address already in use; give another with --host or --port\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port=99999"], "argument --port: must be 0 to 65535, got 99999\n"),
        (["--port=-1"], "argument --port: must be 0 to 65535, got -1\n"),
    ],
)
def test_a_port_that_is_none(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["app", *words])
    with pytest.raises(SystemExit, match="2"):
        app_main.main()
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def create_server(address: tuple[str, int], family: socket.AddressFamily) -> None:
        asked.append((address, family))
        raise OSError(97, "Address family not supported (while attempting to bind)")

    monkeypatch.setattr(socket, "create_server", create_server)
    line = r"^\[::1\]:8501: Address family not supported; give another with --host or --port$"
    with pytest.raises(OSError, match=line):
        app_main._listen(host, 8501)
    assert asked == [(("::1", 8501), socket.AF_INET6)]


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
        assert answer.json() == {"status": "ok", "models": 0, "broken": []}
        assert httpx.get(f"{address}/models").json() == {"models": [], "broken": []}
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    # A shell has processes in its background ignore the signal, but for what the server does.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert (process.returncode, rest, errors) == (0 if ignored else 130, "", "")
