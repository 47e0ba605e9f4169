"""Every command in a project of which a part is missing, damaged or of another kind: a line."""

import logging
import shutil
from pathlib import Path

import pytest

from imago import cli
from imago.core import boundary
from tests import faults, tiny_project
from tests.gate_project import GATE

pytestmark = pytest.mark.fault

COMMANDS = (
    "check",
    "gate",
    "missing",
    "recipes",
    "remote none",
    "remove none",
    "rename none other",
    "resolve",
    "results",
    "score none none.zip",
    "tidy",
    "verify",
    "mend",  # last, for it mends what the others are to meet
)
PARTS = (".dvc", ".dvc/config", ".git", ".git/HEAD", "dvc.lock", "dvc.yaml", "params.yaml")
MORE = (".dvc/cache", ".dvc/tmp", ".dvc/tmp/rwlock", ".imago", "exports", "metrics", "reports")
ODD = {
    "missing": None,
    "a folder": Path.mkdir,
    "empty": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(b"\xff\x00"),
    "a list": lambda path: path.write_bytes(b"[1]\n"),
}
STATES = [(part, odd) for part in PARTS for odd in ODD]
STATES += [(part, odd) for part in MORE for odd in ODD]
BOUNDED = [("dvc.lock", "no text"), ("dvc.lock", "a list"), *STATES[1::7]]
"""A seventh of them, among which is each kind of oddity, and two that no other would show."""
TRIED = STATES if faults.FULL else BOUNDED


@pytest.fixture(autouse=True)
def quiet():
    """DVC's warnings of what has never run go to streams of its own, which other tests closed."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    tiny_project.create_with_digits(folder, {**tiny_project.settings(), "gate": GATE})
    return folder


@pytest.mark.parametrize(("part", "odd"), TRIED)
def test_each_command_says_one_line(template, tmp_path, monkeypatch, capfd, part, odd):
    tree = shutil.copytree(template, tmp_path / "tree")
    monkeypatch.chdir(tree)
    path = Path(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if ODD[odd]:
        ODD[odd](path)
    for command in COMMANDS:
        code = cli.main(command.split())
        said = capfd.readouterr().err
        assert code in (0, 1, 2), command
        assert boundary.TRACEBACK_VARIABLE not in said, command  # nobody had thought of it
        assert "Traceback" not in said, command
        assert said.count("\n") <= 1, command
