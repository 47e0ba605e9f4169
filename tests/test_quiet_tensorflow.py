import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[1]
LEVEL = "TF_CPP_MIN_LOG_LEVEL"
IMPORT_AND_USE_STDERR = """
import os, sys
from imago.runtimes import quiet_tensorflow
print(os.environ["TF_CPP_MIN_LOG_LEVEL"], "tensorflow" in sys.modules)
print("from Python", file=sys.stderr)
os.write(2, b"from C")
"""
NOISY = """
import os, sys
os.write(2, b"a note")
print("seen on import:", os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""


def run(script: str, path: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
    """Run a script where `path`, if any, comes before the installed packages."""
    kept = {name: value for name, value in os.environ.items() if name != LEVEL}
    if path:
        kept["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def fake(tmp_path):
    """Write a module that stands for TensorFlow, and give the folder it is in."""

    def write(content):
        (tmp_path / "tensorflow.py").write_text(content, "utf-8")
        return tmp_path

    return write


WHAT_KERAS_CAN_DO_WITHOUT = """
print(sorted({"keras", "matplotlib", "sklearn"} & set(sys.modules)))
import matplotlib.figure, sklearn.metrics
print(matplotlib.figure.Figure.__name__, sklearn.metrics.f1_score.__name__)
"""


def test_tensorflow_is_imported_in_silence_and_without_ballast():
    """Standard error works afterwards, and what Keras can do without is there for others."""
    found = run(IMPORT_AND_USE_STDERR + WHAT_KERAS_CAN_DO_WITHOUT)

    assert found.stderr == "from Python\nfrom C"
    assert found.stdout == "2 True\n['keras']\nFigure f1_score\n"
    assert found.returncode == 0


def test_notes_of_the_import_are_dropped(fake):
    found = run(IMPORT_AND_USE_STDERR, fake(NOISY))

    assert found.stderr == "from Python\nfrom C"
    assert found.stdout == "seen on import: 2\n2 True\n"


def test_a_log_level_that_is_set_is_kept(fake):
    found = run(IMPORT_AND_USE_STDERR, fake(NOISY), **{LEVEL: "0"})

    assert found.stdout == "seen on import: 0\n0 True\n"


@pytest.mark.parametrize("error", ["ImportError", "RuntimeError"])
def test_a_failing_import_is_raised(fake, error):
    found = run(IMPORT_AND_USE_STDERR, fake(f"raise {error}('no such library')"))

    assert found.returncode == 1
    assert found.stderr.endswith(f"{error}: no such library\n")


def test_stderr_works_after_a_failing_import(fake):
    script = f"""
try:
    from imago.runtimes import quiet_tensorflow
except ImportError as error:
    print(error)
import os
os.environ["{LEVEL}"] = "2"
os.write(2, b"still there")
"""
    found = run(script, fake("raise ImportError('no such library')"))

    assert (found.stdout, found.stderr) == ("no such library\n", "still there")


def test_no_file_descriptor_stays_open(fake):
    script = """
import os
def count():
    return sum(os.path.exists(f"/dev/fd/{number}") for number in range(3, 64))
before = count()
from imago.runtimes import quiet_tensorflow
print(count() - before)
"""
    assert run(script, fake("")).stdout == "0\n"


def test_what_was_imported_before_stays(fake):
    folder = fake("import sklearn")
    (folder / "sklearn.py").write_text("")
    script = """
import sklearn
from imago.runtimes import quiet_tensorflow
import sys
print(sys.modules["sklearn"] is sklearn, "matplotlib" in sys.modules)
"""
    assert run(script, folder).stdout == "True False\n"


def test_the_environment_does_not_choose_the_kernels(fake):
    """With TF_ENABLE_ONEDNN_OPTS=0 a training ends with other bytes, and nothing says why."""
    seen = fake("import os; print(os.environ.get('TF_ENABLE_ONEDNN_OPTS'))")
    script = "from imago.runtimes import quiet_tensorflow"
    assert run(script, seen, TF_ENABLE_ONEDNN_OPTS="0").stdout == "None\n"
