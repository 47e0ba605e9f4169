"""What make does: which locks a target installs, and that it installs none twice."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEV = "requirements-dev.txt"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone as far as make looks at it, in which nothing is installed; the locks are old."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for lock in ("requirements.txt", "requirements-gpu.txt", DEV):
        (tmp_path / lock).touch()
        os.utime(tmp_path / lock, (0, 0))
    (tmp_path / ".venv").mkdir()
    return tmp_path


def have(clone: Path, *markers: str) -> None:
    """Mark as set up, in this order."""
    for seconds, marker in enumerate(markers, 1):
        (clone / ".venv" / marker).touch()
        os.utime(clone / ".venv" / marker, (seconds, seconds))


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests hands its own arguments down.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    environment.pop("MFLAGS", None)
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def commands(clone: Path, *arguments: str) -> str:
    """What make would run."""
    found = make(clone, "--dry-run", *arguments)
    assert found.returncode == 0, found.stderr
    return found.stdout


def installs(clone: Path, *arguments: str) -> list[str]:
    """The locks that make would install."""
    return re.findall(r"scripts/install\.py (\S+)$", commands(clone, *arguments), re.M)


@pytest.mark.parametrize(
    ("arguments", "locks"),
    [
        (["setup"], ["requirements.txt"]),
        (["repro"], ["requirements.txt"]),
        (["app"], ["requirements.txt"]),
        (["setup", "EXTRA=gpu"], ["requirements-gpu.txt"]),
        (["setup-dev"], ["requirements.txt", DEV]),
        (["check"], ["requirements.txt", DEV]),
        (["test"], ["requirements.txt", DEV]),
        (["test-all", "EXTRA=gpu"], ["requirements-gpu.txt", DEV]),
        (["check", "test-all", "repro"], ["requirements.txt", DEV]),
    ],
    ids=" ".join,
)
def test_a_target_installs_what_it_needs(clone, arguments, locks):
    assert installs(clone, *arguments) == locks


def test_developing_is_added_to_what_is_there(clone):
    have(clone, "ready-cpu")
    assert installs(clone, "test") == [DEV]
    assert "venv --clear" not in commands(clone, "test")


@pytest.mark.parametrize("target", ["setup", "setup-dev", "test", "repro"])
def test_what_is_set_up_is_not_installed_again(clone, target):
    have(clone, "ready-cpu", "ready-dev")
    assert installs(clone, target) == []


def test_a_new_lock_of_running_makes_all_anew_and_one_of_developing_only_that(clone):
    have(clone, "ready-cpu", "ready-dev")
    os.utime(clone / DEV, (9, 9))
    assert installs(clone, "setup") == []
    assert installs(clone, "test") == [DEV]
    os.utime(clone / "requirements.txt", (9, 9))
    assert installs(clone, "setup") == ["requirements.txt"]
    assert installs(clone, "test") == ["requirements.txt", DEV]


def test_another_kind_of_processor_makes_all_anew(clone):
    have(clone, "ready-cpu", "ready-dev")
    assert installs(clone, "test", "EXTRA=gpu") == ["requirements-gpu.txt", DEV]


def test_help_has_a_line_for_each_target(clone):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, re.M)[1].split()
    shown = subprocess.run(["make", "help"], cwd=clone, capture_output=True, text=True, check=True)
    assert re.findall(r"^make (\S+)  +\S", shown.stdout, re.M) == targets


def test_an_environment_that_is_a_link_is_not_emptied(clone):
    (clone / ".venv").rename(clone / "of another project")
    (clone / "of another project/python").touch()
    (clone / ".venv").symlink_to("of another project")

    found = make(clone, "setup", "PYTHON=false")

    assert found.returncode
    assert ".venv must be a folder of its own, got a link to of another project" in found.stderr
    assert (clone / "of another project/python").exists()
