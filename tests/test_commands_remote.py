"""`imago remote`: what keeps a remote from being used, in one line."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago import cli
from tests import s3_server, toy_project
from tests.toy_project import FOLDER, MODEL, add_remote, dvc


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("origin")
    toy_project.create(folder)
    return folder


@pytest.fixture(autouse=True)
def project(origin, tmp_path, monkeypatch) -> Path:
    """A copy of the project, without a remote."""
    folder = shutil.copytree(origin, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def store(tmp_path) -> Path:
    """A folder for a remote."""
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture(scope="module")
def server() -> Iterator[s3_server.Server]:
    with s3_server.running() as server:
        yield server


def remote(capsys, *arguments):
    code = cli.main(["remote", *arguments])
    out, err = capsys.readouterr()
    return code, err or out


def test_no_remote(project, capsys):
    assert remote(capsys) == (
        1,
        "imago remote: no default DVC remote is set up; dvc remote add --default NAME URL adds "
        "one\n",
    )
    add_remote(project, "elsewhere")
    assert remote(capsys, "store") == (
        1,
        "imago remote: store: must be a DVC remote, one of storage; dvc remote add --default NAME "
        "URL adds one\n",
    )


def test_a_remote_that_has_nothing_some_and_all(project, store, capsys):
    add_remote(project, str(store), verify="true")
    assert remote(capsys) == (
        1,
        f"imago remote: storage: {store} has nothing that dvc.lock names; if that is the right "
        "URL, run `dvc push` where the files are\n",
    )
    dvc(project, "push", targets=["evaluate"])
    assert remote(capsys) == (
        1,
        f"storage ({store}): lacks {FOLDER}, {MODEL}; run `dvc push` where they are\n",
    )
    dvc(project, "push")
    assert remote(capsys, "storage") == (
        0,
        f"storage ({store}): can be used, and has all that dvc.lock names\n",
    )


@pytest.mark.parametrize("setting", [{}, {"verify": "false"}], ids=["left out", "false"])
def test_a_remote_that_hands_out_damage_is_named(project, store, capsys, setting):
    add_remote(project, str(store), **setting)
    dvc(project, "push")

    assert remote(capsys) == (
        1,
        f"storage ({store}): hands out damaged files unnoticed; run "
        "`dvc remote modify storage verify true`\n",
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        pytest.param("s3://shelf/x", "Unable to locate credentials", id="no credentials"),
        pytest.param(  # DVC lists the bucket or not, as it finds quicker
            "s3://none/x",
            "has nothing that dvc.lock names|The specified bucket does not exist",
            id="no bucket",
        ),
        pytest.param("gs://shelf/x", "gs is supported, but requires 'dvc-gs'", id="no extra"),
    ],
)
def test_a_remote_out_of_reach_is_one_line(project, server, monkeypatch, capsys, url, fault):
    place = {"endpointurl": server.url} if url.startswith("s3") else {}
    add_remote(project, url, **place)
    if "credentials" in fault:
        for name in s3_server.CREDENTIALS:
            monkeypatch.delenv(name)

    code, said = remote(capsys)

    assert code == 1
    assert re.match(rf"imago remote: storage(: {url} | \({url}\): )({fault})", said)
    assert said.count("\n") == 1


def test_wrong_credentials_are_one_line(project, server, capsys):
    add_remote(project, "s3://shelf/imago", endpointurl=server.url)
    with server.refusing():
        code, said = remote(capsys)

    assert code == 1
    pattern = r"imago remote: storage \(s3://shelf/imago\): (Forbidden|The AWS Access Key Id)"
    assert re.match(pattern, said)
    assert said.count("\n") == 1
