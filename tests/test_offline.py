"""No import asks the network for anything; tests/test_kills.py sees to it that no stage does."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_project
from tests.faults import OFFLINE

ROOT = Path(__file__).parents[1]
IMPORT_ALL = """
import importlib, pkgutil
import app, imago, stages

for package in (imago, stages, app):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2] not in ("__main__", "page"):  # which begin their work
            importlib.import_module(module.name)
print("all")
"""


def run(script, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-c", OFFLINE + script, *arguments],
        cwd=folder,
        env=tiny_project.environment() | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_hook_sees_who_asks():
    found = run("import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')", ROOT)
    assert (found.returncode, "the network is asked" in found.stderr) == (1, True)


@pytest.mark.fault
@pytest.mark.slow
def test_no_import_asks_the_network():
    found = run(IMPORT_ALL, ROOT)
    assert (found.returncode, found.stdout) == (0, "all\n"), found.stderr
