"""How far an installation says it is."""

from pathlib import Path

import pytest

from scripts import install

FETCHING = """\
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Requirement already satisfied: six==1.17.0 in .venv/lib (from -r a.txt (line 2)) (1.17.0)
Requirement already satisfied: six==1.17.0 in .venv/lib (from dateutil==2.9->-r a.txt) (1.17.0)
Requirement already satisfied: urllib3>=1 in .venv/lib (from requests==2->-r a.txt) (2.8.0)
"""
UNPACKING = f"Installing collected packages: {', '.join('abcdefg' * 7)}\n"


def collected(count: int) -> str:
    kinds = (
        "Collecting a{0}==1\n  Downloading a{0}-1-py3-none-any.whl (1 kB)\n",
        "Collecting a{0}==1\n  Using cached a{0}-1.tar.gz (1 kB)\n",
        "Collecting a{0}==1\n  Downloading a{0}-1-py3-none-any.whl.metadata (1 kB)\n"
        "Downloading a{0}-1-py3-none-any.whl (1 kB)\n",
        "Processing ./a{0}-1-py3-none-any.whl (from -r a.txt (line 4))\n",
    )
    return "".join(kinds[number % 4].format(number) for number in range(count))


@pytest.mark.parametrize(
    ("log", "unpacked", "said"),
    [
        ("", 0, "found 0 of 52 packages"),
        (FETCHING + collected(17), 0, "found 0 of 52 packages"),
        (FETCHING + collected(18), 0, "found 20 of 52 packages"),
        (FETCHING + collected(50), 0, "found 40 of 52 packages"),
        (FETCHING + collected(50) + UNPACKING, 0, "unpacked 0 of 49 packages"),
        (FETCHING + collected(50) + UNPACKING, 41, "unpacked 40 of 49 packages"),
    ],
    ids=["start", "before", "step", "all", "first", "unpacked"],
)
def test_progress_is_in_whole_steps_and_counts_what_is_there_already(log, unpacked, said):
    assert install.progress(log, 52, unpacked) == said


def test_pins_are_the_packages_of_a_lock():
    lock = (
        "# made\na==1 \\\n    --hash=sha256:0\nb-c==2 ; os_name == 'nt' \\\n    --hash=sha256:1\n"
    )
    assert install.pins(lock) == 2


def test_a_lock_that_pip_refuses_ends_with_its_message_and_exit_code(tmp_path: Path, capfd):
    lock = tmp_path / "lock.txt"
    lock.write_text("no requirement\n", "utf-8")
    assert install.main(str(lock)) == 1
    assert "ERROR: Invalid requirement: 'no requirement'" in capfd.readouterr().err
