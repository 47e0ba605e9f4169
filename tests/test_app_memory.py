"""Memory that large images took is given back."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[1]
FREE_LARGE_BLOCKS = """
from app import memory
memory.bound()
first = bytearray(30 * 2**20)
del first  # after which glibc would keep blocks of up to its size
held, blocks = [], []
for _ in range(20):
    blocks.append(bytearray(b"x") * (20 * 2**20))
    held.append(bytearray(b"x") * 5000)  # so that no block is the last one in its heap
blocks.clear()
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0], status.split("VmRSS:")[1].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux")
def test_large_blocks_are_given_back_when_they_are_freed() -> None:
    found = subprocess.run(
        [sys.executable, "-c", FREE_LARGE_BLOCKS], cwd=ROOT, capture_output=True, check=True
    )
    peak_kb, left_kb = map(int, found.stdout.split())
    assert peak_kb > 400_000
    assert left_kb < 100_000
