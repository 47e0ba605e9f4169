"""dvc.lock and DVC's list of paths in use, cut off by a kill."""

import shutil
from pathlib import Path

import pytest

from imago import cli
from imago.core import kept_lock, paths
from imago.project import check, mend
from tests import echo_project

RWLOCK = Path(".dvc/tmp/rwlock")


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    echo_project.create(folder)
    return folder


@pytest.fixture
def project(origin, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(origin, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return content


def test_what_is_whole_stays(project, capsys):
    before = Path("dvc.lock").read_bytes()
    assert mend.faults() == []
    assert cli.main(["mend"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("dvc.lock").read_bytes() == before


def test_a_whole_lock_is_kept_and_no_other(project):
    kept_lock.keep()
    assert paths.kept_lock().read_bytes() == Path("dvc.lock").read_bytes()
    whole = cut(Path("dvc.lock"), 0.61)
    kept_lock.keep()
    assert paths.kept_lock().read_bytes() == whole


@pytest.mark.parametrize("share", [0, 0.003, 0.31, 0.5, 0.77])
def test_a_lock_that_was_cut_off_is_not_sound(project, share):
    whole = cut(Path("dvc.lock"), share)
    assert kept_lock.is_sound(whole)
    assert not kept_lock.is_sound(Path("dvc.lock").read_bytes())


def test_the_kept_lock_comes_back(project, capsys):
    kept_lock.keep()
    whole = cut(Path("dvc.lock"), 0)

    assert cli.main(["mend"]) == 0

    assert capsys.readouterr().out == "dvc.lock: as the last stage that ran found it\n"
    assert Path("dvc.lock").read_bytes() == whole
    assert check.staleness().reasons == {}


def test_without_one_the_run_cache_has_it(project):
    whole = cut(Path("dvc.lock"), 0.5)
    trained = echo_project.trainings(project)

    mend.mend()
    echo_project.run(project)

    assert Path("dvc.lock").read_bytes() == whole
    assert echo_project.trainings(project) == trained


def test_the_list_of_paths_in_use(project, capsys):
    RWLOCK.write_text("")
    assert mend.faults() == [str(RWLOCK)]
    assert cli.main(["mend"]) == 0
    assert "no process is at work" in capsys.readouterr().out
    echo_project.run(project)


@pytest.mark.parametrize("path", [Path("dvc.lock"), RWLOCK], ids=str)
def test_check_says_what_to_do(project, capsys, path):
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    assert cli.main(["check"]) == 2
    assert capsys.readouterr().err == (
        f"imago check: {path} is cut off or broken; run `imago mend`\n"
    )
