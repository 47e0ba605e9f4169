"""What tests of documents compare with."""

import signal

import pytest

from tests.console import Shell, Step, lacking, steps
from tests.tiny_project import environment

DOCUMENT = """\
Text.

```console
$ imago gate   # is it worse?
imago gate: passed
$ dvc repro
```

```yaml
$ no: command
```

```console
$ dvc repro
…
Data and pipelines are up to date.
```
"""


def test_commands_of_a_document():
    assert list(steps(DOCUMENT)) == [
        Step("imago gate", 1, ("imago gate: passed",)),
        Step("dvc repro", 1, ()),
        Step("dvc repro", 2, ("…", "Data and pipelines are up to date.")),
    ]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("in use: 94 files, 412.5 MB", "a line before\nin use: 1,094 files, 2 kB\n"),
        ("name-8082146  0.0005", "name-abcdef0 5e-05"),
        (
            "… damaged in …/md5/1f/6762dba49f0b5929f4ce49a6035fde",
            "x: damaged in /a/md5/1f/" + "0" * 30,
        ),
        (" ──── \n  a  ", "─\na"),
        ('{"a": [\n  {"b": 1}]}', 'progress\n{"a":[{"b":0.99}]}'),
    ],
    ids=["numbers", "digests", "anything", "widths", "json"],
)
def test_what_is_as_shown(shown, printed):
    assert lacking(shown.splitlines(), printed) == []


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("imago gate: passed", "imago gate: failed"),
        ("in use: 94 files", "in use: 94 files, and more"),
        ("first\nsecond", "first"),
        ('{"a": 1}', '{"b": 1}'),
        ("anything", ""),
    ],
    ids=["word", "line", "lines", "json", "nothing"],
)
def test_what_is_not(shown, printed):
    assert lacking(shown.splitlines(), printed) == shown.splitlines()[-1:]


def test_a_shell_goes_on_after_a_failure(tmp_path):
    with Shell(tmp_path, environment()) as shell:
        assert shell.run("(exit 3)").status == 3
        assert shell.run("cd /; printf 'no line feed' >&2").printed == "no line feed"
        assert shell.check("pwd") == "/\n"
        assert shell.run("read typed && echo $typed", "y").printed == "y\n"
        with pytest.raises(AssertionError, match="exit code 1\nsaid"):
            shell.check("echo said; false")


@pytest.fixture
def deaf():
    """Ignore Ctrl+C, as tests do that run in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("deaf")
def test_what_serves_ends_by_ctrl_c(tmp_path):
    with Shell(tmp_path, environment()) as shell:
        command = "echo serving; trap 'exit 130' INT; while true; do sleep 0.1; done"
        assert shell.serve(f"({command})", tmp_path / "log", "serving") == "serving\n"
        assert set(shell.interrupt().values()) == {130}
