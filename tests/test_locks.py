"""The locks: what they pin, and that they agree."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNNING = ("requirements.txt", "requirements-gpu.txt")
DEVELOPING = "requirements-dev.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def blocks(lock: str) -> dict[str, set[str]]:
    """Each package's versions with their hashes, without markers."""
    found: dict[str, set[str]] = {}
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text("utf-8"), flags=re.M)
    for block in re.split(r"\n(?=\S)", text.strip()):
        first, hashes = block.split("\\\n", 1)
        name, version = first.split(";")[0].strip().split("==")
        assert re.fullmatch(r"( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+", hashes.rstrip("\n")), block
        found.setdefault(name, set()).add(f"{version} {hashes}")
    return found


def differing(one: dict[str, set[str]], other: dict[str, set[str]]) -> set[str]:
    return {name for name in one.keys() & other if one[name] != other[name]}


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", text)[0].lower().replace(".", "-") for text in requirements}


@pytest.mark.parametrize("lock", [*RUNNING, DEVELOPING])
def test_a_lock_pins_every_package_by_hash_and_names_no_place(lock):
    assert blocks(lock)
    assert "://" not in (ROOT / lock).read_text("utf-8")


@pytest.mark.parametrize("lock", RUNNING)
def test_developing_goes_on_top_of_running(lock):
    assert differing(blocks(lock), blocks(DEVELOPING)) == set()


def test_both_locks_of_running_agree():
    assert differing(*map(blocks, RUNNING)) == set()


@pytest.mark.parametrize("lock", RUNNING)
def test_running_has_what_runs_and_nothing_that_checks_or_tests(lock):
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["app"], *extras["s3"]]
    assert names([*wanted, *extras["tensorboard"]]) <= blocks(lock).keys()
    assert names(PROJECT["dependency-groups"]["dev"]).isdisjoint(blocks(lock))


def test_developing_has_what_checks_and_tests():
    assert names(PROJECT["dependency-groups"]["dev"]) <= blocks(DEVELOPING).keys()
    assert not any(name.startswith("tensorflow") for name in blocks(DEVELOPING))
