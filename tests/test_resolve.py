"""Merges of two branches that each ran something."""

import re
import shutil
from pathlib import Path

import pytest

from imago import cli, params
from imago.core.errors import ParamsError
from imago.project import check, git, remove, resolve, yaml_text
from tests import echo_project

RATE, EPOCHS = "train.learning_rate", "train.epochs"


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    echo_project.create(folder)
    (folder / "notes").write_text("of both\n")
    echo_project.commit(folder)
    return folder


@pytest.fixture
def project(origin, tmp_path, monkeypatch):
    """A copy on the branch `main`; `other` is the other branch."""
    folder = tmp_path / "project"
    shutil.copytree(origin, folder, symlinks=True)
    monkeypatch.chdir(folder)
    echo_project.git(folder, "branch", "other")
    return folder


def commits(project, branch, *changes):
    """Change something on a branch, run and commit; `changes` are functions."""
    echo_project.git(project, "switch", "--quiet", branch)
    for change in changes:
        change()
    echo_project.run(project)
    echo_project.commit(project)


def put(keys, value):
    return lambda: echo_project.put(Path(), f"experiments.{keys}", value)


def add(name, comment):
    """A copy of `plain` at the end of its section."""

    def change():
        path = Path("params.yaml")
        block = yaml_text.entries(path.read_text())["experiments"]["plain"]
        block = f"# {comment}\n" + block.replace("plain:", f"{name}:")
        path.write_text(yaml_text.insert(path.read_text(), "experiments", block))

    return change


def merge(project):
    """Merge `other` into `main`; it stops over conflicts. Forget what was trained before."""
    echo_project.git(project, "switch", "--quiet", "main")
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "merge", "other")
    (project / "trainings").unlink()


def conclude(project):
    """Commit, and run all that is not current; returns what was trained."""
    echo_project.git(project, "commit", "--quiet", "--all", "--message", "Merge")
    echo_project.run(project)
    path = project / "trainings"
    return path.read_text().splitlines() if path.exists() else []


def test_each_changed_another_experiment(project):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"validated.{EPOCHS}", 3))
    merge(project)

    resolved = resolve.merge(None)

    assert resolved.taken["train@plain"] == "ours"
    assert resolved.taken["train@validated"] == "theirs"
    assert (resolved.staleness.reasons, resolved.left) == ({}, [])
    assert Path("metrics/plain.json").read_text() == "0.02 8\n"
    assert Path("metrics/validated.json").read_text() == "0.01 3\n"
    assert Path("models/validated").read_text() == "0.01 3\n"
    assert Path("reports/curves.csv").read_text() == "plain\n0.02 8\nvalidated\n0.01 3\n"
    assert conclude(project) == []


def test_a_rebase_is_concluded_as_such(project, capsys, monkeypatch):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"validated.{EPOCHS}", 3))
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "rebase", "main")

    assert cli.main(["resolve"]) == 0

    assert capsys.readouterr().out.endswith(
        "resolved; `git rebase --continue` concludes the merge\n"
    )
    monkeypatch.setenv("GIT_EDITOR", "true")
    echo_project.git(project, "rebase", "--continue")
    assert check.staleness().reasons == {}


def test_a_revert_is_concluded_as_such(project, capsys, monkeypatch):
    """Of the first of two commits, each of which ran another experiment."""
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "main", put(f"validated.{EPOCHS}", 3))
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "revert", "--no-edit", "HEAD~1")

    assert cli.main(["resolve"]) == 0

    assert capsys.readouterr().out.endswith(
        "resolved; `git revert --continue` concludes the merge\n"
    )
    monkeypatch.setenv("GIT_EDITOR", "true")
    echo_project.git(project, "revert", "--continue")
    assert check.staleness().reasons == {}
    assert Path("metrics/validated.json").read_text() == "0.01 3\n"
    assert Path("metrics/plain.json").read_text() == "0.01 8\n"


def test_conflicts_of_which_git_does_not_name_the_commit(project, capsys):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"validated.{EPOCHS}", 3))
    echo_project.git(project, "switch", "--quiet", "main")
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "merge", "--squash", "other")

    assert cli.main(["resolve"]) == 1
    assert "undo them with `git reset --merge`, then `git merge BRANCH`" in capsys.readouterr().err
    echo_project.git(project, "reset", "--merge")
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "merge", "other")
    assert cli.main(["resolve"]) == 0


@pytest.mark.slow
def test_a_stash_is_picked_as_a_commit(project, capsys):
    echo_project.git(project, "switch", "--quiet", "main")
    put(f"validated.{EPOCHS}", 3)()
    echo_project.run(project)
    echo_project.git(project, "stash")
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "stash", "pop")

    assert cli.main(["resolve"]) == 1

    assert "of a stash, `git cherry-pick -m 1 stash`" in capsys.readouterr().err
    echo_project.git(project, "reset", "--merge")
    with pytest.raises(Exception, match="returned non-zero"):
        echo_project.git(project, "cherry-pick", "-m", "1", "stash")
    assert cli.main(["resolve"]) == 0
    assert check.staleness().reasons == {}
    assert Path("metrics/validated.json").read_text() == "0.01 3\n"


@pytest.mark.slow
def test_both_changed_one_experiment(project, capsys):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"plain.{EPOCHS}", 3))
    merge(project)

    assert cli.main(["resolve"]) == 0

    assert "    dvc repro report@plain\n" in capsys.readouterr().out
    assert check.staleness().reasons.keys() == {"train@plain"}
    assert conclude(project) == ["plain 0.02 3"]


def test_both_changed_one_value(project, capsys):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"plain.{RATE}", 0.03))
    merge(project)
    before = Path("params.yaml").read_text()

    assert cli.main(["resolve"]) == 1

    said = "both sides changed experiments.plain.train.learning_rate (0.02 here, 0.03 there)"
    assert said in capsys.readouterr().err
    assert Path("params.yaml").read_text() == before


def test_a_commit_whose_params_are_no_yaml(project, capsys):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    echo_project.git(project, "switch", "--quiet", "other")
    whole = Path("params.yaml").read_text()
    Path("params.yaml").write_text("a: !x 1\n")
    echo_project.commit(project)
    merge(project)

    assert cli.main(["resolve"]) == 1

    said = capsys.readouterr().err
    assert "imago resolve: params.yaml of " in said
    assert "must be YAML: " in said
    assert said.endswith(
        "edit params.yaml so that it says what you want, and run `imago resolve` again\n"
    )
    Path("params.yaml").write_text(whole)
    assert cli.main(["resolve"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("side", "value"), [("--ours", "0.02"), ("--theirs", "0.03")])
def test_a_side_is_preferred(project, side, value):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"plain.{RATE}", 0.03))
    merge(project)

    assert cli.main(["resolve", side]) == 0

    assert Path("metrics/plain.json").read_text() == f"{value} 8\n"
    assert Path("models/plain").read_text() == f"{value} 8\n"
    assert conclude(project) == []


@pytest.mark.slow
def test_params_that_were_merged_by_hand_are_taken_as_they_are(project):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", put(f"plain.{RATE}", 0.03))
    merge(project)
    text = re.sub("<<<<.*\n|====.*\n(.*\n)|>>>>.*\n", "", Path("params.yaml").read_text())
    Path("params.yaml").write_text(text)
    put(f"plain.{RATE}", 0.04)()

    assert resolve.merge(None).staleness.reasons.keys() == {"train@plain"}
    assert conclude(project) == ["plain 0.04 8"]


@pytest.mark.slow
def test_both_added_an_experiment(project):
    commits(project, "main", add("first", "Of one."))
    commits(project, "other", add("second", "Of another."))
    merge(project)

    assert resolve.merge(None).staleness.reasons == {}

    assert list(params.load().experiments) == ["plain", "validated", "first", "second"]
    assert "  # Of another.\n  second:\n" in Path("params.yaml").read_text()
    assert Path("metrics/second.json").is_file()
    assert Path("reports/curves.csv").read_text().count("\n") == 8
    assert conclude(project) == []


@pytest.mark.slow
def test_one_removed_what_the_other_left_alone(project):
    commits(project, "main", put(f"plain.{RATE}", 0.02))
    commits(project, "other", lambda: remove.experiment("validated"))
    merge(project)

    assert resolve.merge(None).staleness.reasons == {}

    assert list(params.load().experiments) == ["plain"]
    assert "validated" not in Path("reports/curves.csv").read_text()
    assert conclude(project) == []


@pytest.mark.slow
def test_a_change_of_code_makes_neither_run_current(project):
    def change():
        Path("train.py").write_text(echo_project.TRAIN + "# new\n")

    commits(project, "main", change)
    commits(project, "other", put(f"plain.{RATE}", 0.02))
    merge(project)

    assert resolve.merge(None).staleness.reasons.keys() == {"train@plain"}
    assert conclude(project) == ["plain 0.02 8"]


@pytest.mark.slow
def test_what_is_not_of_the_pipeline_is_left(project, capsys):
    commits(project, "main", put(f"plain.{RATE}", 0.02), lambda: Path("notes").write_text("a\n"))
    commits(project, "other", put(f"plain.{EPOCHS}", 2), lambda: Path("notes").write_text("b\n"))
    merge(project)

    assert cli.main(["resolve"]) == 1
    assert "to be merged by hand: notes" in capsys.readouterr().out
    assert git.unmerged() == ["notes"]


def test_no_merge(project, capsys):
    assert cli.main(["resolve"]) == 1
    assert capsys.readouterr().err == (
        "imago resolve: there must be a merge that has stopped over conflicts, and there is none\n"
    )


def test_what_one_side_took_out_and_the_other_changed_is_said(project):
    commits(project, "main", lambda: remove.experiment("plain"))
    commits(project, "other", put(f"plain.{EPOCHS}", 3))
    merge(project)
    with pytest.raises(
        ParamsError, match=r"experiments\.plain \(taken out here, \{.*\} there"
    ) as e:
        resolve.merge(None)
    assert len(str(e.value)) < 600


def test_an_experiment_that_one_side_took_out_and_the_other_changed_stays(project):
    """With what it is made from, which was taken out with it."""
    commits(project, "main", lambda: remove.experiment("plain"))
    commits(project, "other", put(f"plain.{EPOCHS}", 3))
    merge(project)

    resolved = resolve.merge("theirs")

    assert "tiny8" in params.load().prepare
    assert (resolved.staleness.reasons, resolved.left) == ({}, [])
    assert Path("metrics/plain.json").read_text() == "0.01 3\n"
    assert conclude(project) == []


def test_what_came_of_an_experiment_that_one_side_took_out_goes(project):
    commits(project, "main", lambda: remove.experiment("plain"))
    commits(project, "other", put(f"plain.{EPOCHS}", 3))
    merge(project)

    resolved = resolve.merge("ours")

    assert list(params.load().experiments) == ["validated"]
    assert (resolved.staleness.reasons, resolved.left) == ({}, [])
    assert not Path("metrics/plain.json").exists()
    assert conclude(project) == []


def test_a_merge_that_is_unsound_leaves_the_marks_of_the_conflict(project):
    commits(project, "main", put(f"plain.{EPOCHS}", 3))
    commits(project, "other", put(f"plain.{EPOCHS}", 4), put("plain.input", "prepared/tiny6"))
    echo_project.git(project, "switch", "--quiet", "main")
    commits(project, "main", lambda: remove.experiment("validated"))
    merge(project)
    before = Path("params.yaml").read_text()

    with pytest.raises(ParamsError, match=r"experiments\.plain\.input must be prepared/tiny8"):
        resolve.merge("theirs")

    assert Path("params.yaml").read_text() == before


def renew(letter):
    """A folder of photos that was added again: another digest, and another listing."""

    def change():
        echo_project.put(Path(), "datasets.tiny.files.train-images", letter * 64)
        Path("listings").mkdir(exist_ok=True)
        Path("listings/tiny.csv").write_text(f"path,sha256\n{letter}.jpg,{letter}\n")

    return change


@pytest.mark.parametrize(("prefer", "letter"), [("ours", "a"), ("theirs", "b")])
def test_a_listing_is_of_the_side_whose_digest_is_kept(project, prefer, letter):
    commits(project, "main", renew("a"))
    commits(project, "other", renew("b"))
    merge(project)
    resolved = resolve.merge(prefer)
    assert (resolved.left, resolved.renewed_twice) == ([], ["tiny"])
    assert params.load().datasets["tiny"].files["train-images"] == letter * 64
    assert Path("listings/tiny.csv").read_text() == f"path,sha256\n{letter}.jpg,{letter}\n"


def test_photos_that_both_sides_took_in_are_said(project, capsys):
    commits(project, "main", renew("a"))
    commits(project, "other", renew("b"))
    merge(project)
    assert cli.main(["resolve", "--theirs"]) == 0
    assert "tiny: both sides took other photos in, and those of one stay" in capsys.readouterr().out


def test_a_listing_of_photos_that_one_side_took_out_goes(project, monkeypatch):
    monkeypatch.setattr(resolve, "OVERVIEW", "none")  # which cannot be drawn of nothing here
    commits(project, "main", renew("a"))
    echo_project.git(project, "branch", "--force", "other", "main")
    commits(project, "other", renew("b"))
    echo_project.git(project, "switch", "--quiet", "main")
    for name in ("plain", "validated"):
        remove.experiment(name)
    echo_project.commit(project)
    merge(project)

    resolved = resolve.merge("ours")

    assert (resolved.left, resolved.renewed_twice) == ([], [])
    assert not Path("listings/tiny.csv").exists()
