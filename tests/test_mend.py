"""dvc.lock, DVC's list of paths in use and its run cache, cut off by a kill."""

import shutil
from pathlib import Path

import pytest
from dvc.exceptions import DvcException

from imago import cli
from imago.core import kept_lock, paths
from imago.project import check, dvc, mend
from tests import echo_project

pytestmark = pytest.mark.fault

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


def faults():
    with dvc.project() as repo:
        return mend.faults(repo)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return content


def test_what_is_whole_stays(project, capsys):
    before = Path("dvc.lock").read_bytes()
    assert faults() == []
    assert cli.main(["mend"]) == 0
    assert capsys.readouterr().out == ""
    assert Path("dvc.lock").read_bytes() == before


def test_a_whole_lock_is_kept_and_no_other(project):
    kept_lock.keep()
    assert paths.kept_lock().read_bytes() == Path("dvc.lock").read_bytes()
    whole = cut(Path("dvc.lock"), 0.61)
    kept_lock.keep()
    assert paths.kept_lock().read_bytes() == whole


@pytest.mark.parametrize("share", [0, 0.003, 0.31, 0.5, 0.77, 0.9999])
def test_a_lock_that_was_cut_off_is_not_sound(project, share):
    whole = cut(Path("dvc.lock"), share)
    assert kept_lock.is_sound(whole)
    assert not kept_lock.is_sound(Path("dvc.lock").read_bytes())


OWN = """
  own:
    cmd: echo done
    deps:
    - metrics/digits.json
"""


@pytest.mark.parametrize("own", [OWN, "\n  own:\n    cmd: echo done\n"], ids=["deps", "alone"])
def test_a_stage_of_ones_own_that_writes_nothing_is_whole(project, own):
    dep = next(Path("metrics").iterdir()).as_posix()
    with Path("dvc.yaml").open("a") as file:
        file.write(own.replace("metrics/digits.json", dep))
    echo_project.run(project)
    content = Path("dvc.lock").read_bytes()
    assert content.rindex(b"  own:") > content.rindex(b"outs:")
    assert kept_lock.is_sound(content)
    assert faults() == []


@pytest.mark.parametrize("kind", ["deps", "outs"])
def test_a_lock_that_was_cut_off_behind_a_key_is_not_sound(project, kind):
    content = Path("dvc.lock").read_bytes()
    assert not kept_lock.is_sound(content[: content.rindex(f"    {kind}:\n".encode()) + 10])


def test_what_lies_elsewhere_has_a_digest_of_its_own():
    record = "schema: '2.0'\nstages:\n  own:\n    cmd: x\n    deps:\n    - path: s3://b/x\n"
    outs = f"    outs:\n    - path: a\n      md5: {'0' * 32}\n"
    assert kept_lock.is_sound(f"{record}      etag: '12'\n{outs}".encode())
    assert not kept_lock.is_sound(f"{record}{outs}".encode())


def test_the_kept_lock_comes_back(project, capsys):
    kept_lock.keep()
    whole = cut(Path("dvc.lock"), 0)

    assert cli.main(["mend"]) == 0

    assert capsys.readouterr().out == "dvc.lock: as the last stage that ran found it\n"
    assert Path("dvc.lock").read_bytes() == whole
    assert check.staleness().reasons == {}


def test_without_one_the_commit_has_it(project, capsys):
    """As in a fresh clone, which has no run cache."""
    shutil.rmtree(".dvc/cache/runs")
    whole = cut(Path("dvc.lock"), 0.5)

    assert cli.main(["mend"]) == 0

    assert capsys.readouterr().out == "dvc.lock: as the commit has it\n"
    assert Path("dvc.lock").read_bytes() == whole


@pytest.fixture
def kept_elsewhere(project):
    """On main, where the last stage ran on another branch; what it made still lies there."""
    with Path(".gitignore").open("a") as ignored:
        ignored.write("/.imago\n")
    echo_project.commit(project)
    echo_project.git(project, "switch", "--quiet", "--create", "other")
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("learning_rate: 0.01", "learning_rate: 0.02"))
    echo_project.run(project)
    echo_project.commit(project)
    kept_lock.keep()
    echo_project.git(project, "switch", "--quiet", "main")
    return cut(Path("dvc.lock"), 0.5)


def test_what_was_kept_on_another_branch_is_not_taken(kept_elsewhere, capsys):
    assert cli.main(["mend"]) == 0

    assert capsys.readouterr().out == "dvc.lock: as the commit has it\n"
    assert Path("dvc.lock").read_bytes() == kept_elsewhere


def test_an_interrupt_leaves_what_is_to_be_mended(kept_elsewhere, monkeypatch):
    broken = Path("dvc.lock").read_bytes()

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "outdated", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mend.mend()
    assert Path("dvc.lock").read_bytes() == broken


def test_what_cannot_be_told_apart_stays_to_be_mended(kept_elsewhere, capsys):
    broken = Path("dvc.lock").read_bytes()
    whole = Path("params.yaml").read_text()
    Path("params.yaml").write_text(f"{whole}\n  - [")

    assert cli.main(["mend"]) == 1

    assert "params.yaml" in capsys.readouterr().err
    assert Path("dvc.lock").read_bytes() == broken
    Path("params.yaml").write_text(whole)
    assert cli.main(["mend"]) == 0
    assert Path("dvc.lock").read_bytes() == kept_elsewhere


def test_without_any_the_run_cache_has_it(project):
    echo_project.git(project, "rm", "--quiet", "--cached", "dvc.lock")
    echo_project.git(project, "commit", "--quiet", "--message", "No lock")
    whole = cut(Path("dvc.lock"), 0.5)
    trained = echo_project.trainings(project)

    mend.mend()
    echo_project.run(project)

    assert Path("dvc.lock").read_bytes() == whole
    assert echo_project.trainings(project) == trained


def test_the_list_of_paths_in_use(project, capsys):
    RWLOCK.write_text("")
    assert faults() == [str(RWLOCK)]
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


RUNS = Path(".dvc/cache/runs")


def leave_nothing(_, __):
    pass


def leave_a_part(folder, run):
    (folder / "unfinished").write_bytes(run[: len(run) // 2])


@pytest.mark.parametrize("leave", [leave_nothing, leave_a_part])
def test_a_run_that_dvc_was_about_to_write(project, capsys, leave):
    whole = Path("dvc.lock").read_bytes()
    Path("dvc.lock").unlink()
    run = next(one for one in RUNS.glob("*/*/*") if b"train.py plain" in one.read_bytes())
    leave(run.parent, run.read_bytes())
    run.unlink()
    assert faults() == [str(run.parent)]

    assert cli.main(["mend"]) == 0

    assert capsys.readouterr().out == f"{run.parent}: deleted; no run is in it\n"
    echo_project.run(project)
    assert Path("dvc.lock").read_bytes() == whole


def test_dvc_stops_over_a_run_that_it_did_not_write(project):
    Path("dvc.lock").unlink()
    for run in RUNS.glob("*/*/*"):
        run.unlink()
    with pytest.raises(DvcException) as caught:
        echo_project.run(project)
    assert "join() argument must be str" in str(caught.value.__cause__)  # as the README has it
