"""Install what a lock pins into the environment of this Python, and say how far it is.

    python scripts/install.py requirements.txt

Needs nothing but pip, which by itself shows no progress in a log, and none while it unpacks.
"""

import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

STEP = 20
"""Packages between two lines."""
PIP = (
    *("-m", "pip", "install", "--progress-bar", "off", "--require-hashes"),
    "--no-compile",  # 17,000 modules, one by one; Python compiles those that are imported
    "--requirement",
)
FETCHED = r"^ *(?:Downloading|Processing|Using cached) \S+\.(?:whl|tar\.gz)(?: |$)"


def main(lock: str) -> int:
    """Run pip and return its exit code; its warnings and errors go to stderr, as ever."""
    pinned = pins(Path(lock).read_text("utf-8"))
    before = installed()
    said = ""
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as log:
        pip = subprocess.Popen([sys.executable, *PIP, lock], stdout=log)
        while pip.poll() is None:
            time.sleep(1)
            log.seek(0)
            line = progress(log.read(), pinned, installed() - before)
            if line != said:
                print(f"  {line}", flush=True)
                said = line
    return pip.returncode


def pins(lock: str) -> int:
    """Return how many lines of a lock pin a package, for this system or for another."""
    return len(re.findall(r"^\S+==", lock, re.M))


def installed() -> int:
    """Return how many packages this environment has."""
    return len(list(Path(sysconfig.get_path("purelib")).glob("*.dist-info")))


def progress(log: str, pinned: int, unpacked: int) -> str:
    """Return how far pip is, in whole steps.

    Args:
        log: What pip has printed so far.
        pinned: How many lines of the lock pin a package.
        unpacked: How many packages the environment has more than at the start.
    """
    if names := re.search(r"^Installing collected packages: (.+)$", log, re.M):
        return f"unpacked {_whole_steps(unpacked)} of {len(names[1].split(', '))} packages"
    ignored = re.findall(r"^Ignoring ", log, re.M)
    present = set(re.findall(r"^Requirement already satisfied: (\S+==\S+) ", log, re.M))
    fetched = re.findall(FETCHED, log, re.M)
    found = len(ignored) + len(present) + len(fetched)
    return f"found {_whole_steps(found)} of {pinned} packages"


def _whole_steps(count: int) -> int:
    return count // STEP * STEP


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:  # which pip has had as well
        sys.exit("setup: interrupted; the same again goes on with what pip has kept")
