"""Sessions in documents, and the shell that they are typed into."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

END = "--- exit code"
NUMBERS = re.compile(
    r"\d[\d,]*\.\d+(e-\d+)?|\b[0-9a-f]{2}/[0-9a-f]{30}\b|\b[0-9a-f]{7,40}\b|\d[\d,]*(e-\d+)?"
)
"""Numbers and digests, also as a cache has them."""
DEADLINE_S = 120
"""How long a server may take to say that it serves."""


@dataclass(frozen=True)
class Step:
    """A command of a document, and what the document shows of its output."""

    command: str
    occurrence: int
    """Which one it is of those that say the same, from 1 on."""
    shown: tuple[str, ...]


def steps(markdown: str) -> Iterator[Step]:
    """Yield the commands of all blocks of a console, without the comments behind them."""
    seen: list[str] = []
    for block in re.findall(r"^```console\n(.*?)^```$", markdown, re.M | re.S):
        for text in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *shown = text.splitlines()
            command = re.sub(r"  +# .*", "", command)
            seen.append(command)
            yield Step(command, seen.count(command), tuple(shown))


def lacking(shown: Sequence[str], printed: str) -> list[str]:
    """Return the lines that are shown and were not printed; … stands for anything.

    What differs from run to run, numbers and digests, is not compared, nor is how wide columns are.
    JSON may be laid out in another way than it is printed.
    """
    if shown and shown[0].startswith("{"):
        shown = [json.dumps(json.loads("".join(shown)))]
        printed = "\n".join(
            json.dumps(json.loads(line)) for line in printed.splitlines() if line.startswith("{")
        )
    lines = [_plain(line) for line in printed.splitlines()]
    patterns = {line: re.escape(_plain(line)).replace("…", ".*") for line in shown if line}
    return [
        line
        for line, pattern in patterns.items()
        if not any(re.fullmatch(pattern, one) for one in lines)
    ]


def _plain(line: str) -> str:
    line = NUMBERS.sub("#", line)
    line = re.sub(r"# [kMG]?B\b", "# B", line)
    return " ".join(re.sub(r"([─━])+", r"\1", line).split())


@dataclass(frozen=True)
class Ran:
    """The exit code of a command, as the shell has it, and what it printed on both streams."""

    status: int
    printed: str


class Shell:
    """A bash that stays open, in which one command follows the other."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._bash: Any = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            preexec_fn=_hear_ctrl_c,
        )
        self._servers: dict[str, str] = {}
        self.run("set -m")  # what runs in the background hears Ctrl+C, as at a terminal

    def run(self, command: str, answer: str = "") -> Ran:
        """Run a command, with an answer on its standard input."""
        self._bash.stdin.write(f"{{ {command}\n}} <<< '{answer}'\nprintf '\\n{END} %s\\n' $?\n")
        self._bash.stdin.flush()
        printed = []
        for line in self._bash.stdout:
            if line.startswith(END):
                return Ran(
                    int(line.removeprefix(END)), "".join(printed)[:-1]
                )  # the line feed is ours
            printed.append(line)
        message = f"the shell ended: {command}\n{''.join(printed)}"
        raise AssertionError(message)

    def check(self, command: str) -> str:
        """Run a command that must end well, and return what it printed."""
        ran = self.run(command)
        assert ran.status == 0, f"{command}: exit code {ran.status}\n{ran.printed}"
        return ran.printed

    def serve(self, command: str, log: Path, until: str) -> str:
        """Start a command that ends only when it is told to, and return what it printed so far.

        Args:
            command: It writes to `log`.
            log: Its output.
            until: It serves once this is printed.
        """
        log.touch()
        started = self.check(f"{command} > {log} 2>&1 & echo $!")
        self._servers[command] = started.split()[-1]
        deadline = time.monotonic() + DEADLINE_S
        while until not in log.read_text("utf-8"):
            assert time.monotonic() < deadline, f"{command}\n{log.read_text('utf-8')}"
            time.sleep(0.2)
        return log.read_text("utf-8")

    def interrupt(self) -> dict[str, int]:
        """Press Ctrl+C for all that serve; returns the exit code of each command."""
        codes = {}
        for command, server in self._servers.items():
            self.run(f"kill -INT -- -{server}")
            self.run(f"for _ in {{1..300}}; do kill -0 {server} || break; sleep 0.1; done")
            self.run(f"kill -KILL -- -{server}")  # lest the tests wait for ever
            codes[command] = self.run(f"wait {server}").status
        self._servers.clear()
        return codes

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()
        self._bash.stdin.close()
        self._bash.stdout.close()
        self._bash.wait()


def _hear_ctrl_c() -> None:
    """Do not ignore it, as whatever a script begins in the background does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
