"""What `imago check` says of a fresh clone, without data, after each kind of change."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo
from gate_project import PERSON

from imago import cli, params
from tests import echo_project

DVC_YAML = """\
stages:
  fetch:
    foreach: ${datasets}
    do:
      cmd: cp published data/${key}
      deps: [published]
      params: ["datasets.${key}.extract"]
      outs: ["data/${key}"]
  train:
    foreach: ${experiments}
    do:
      cmd: cat data/${item.data} train.py > models/${key}
      deps: ["data/${item.data}", helper.py, train.py]
      params: [seed, "experiments.${key}.train"]
      outs: ["models/${key}"]
  evaluate:
    foreach: ${experiments}
    do:
      cmd: cp models/${key} metrics/${key}.json
      deps: [evaluate.py, "models/${key}"]
      metrics:
        - metrics/${key}.json: {cache: false}
"""
PARAMS = """\
seed: 1
datasets: {digits: {extract: {greatest_megapixels: 1}}, unreachable: {extract: {}}}
experiments:
  small:
    data: digits
    train: {learning_rate: 0.1, layers: [4, 2], jit: true}
  late:
    data: unreachable
    train: {learning_rate: 0.1}
"""
NEVER = "never run: fetch@unreachable, train@late, evaluate@late"
CURRENT = "imago check: dvc.lock is current"


@pytest.fixture(autouse=True)
def any_params(monkeypatch):
    """Take the parameters of these small projects, which are none of imago's."""
    monkeypatch.setattr(params, "load", lambda: None)


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | PERSON, check=True)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A project of which one experiment has run."""
    folder = tmp_path_factory.mktemp("origin")
    git(folder, "init", "--quiet")
    Repo.init(str(folder)).close()
    for name in ("data", "models", "metrics"):
        (folder / name).mkdir()
        (folder / name / ".gitkeep").touch()
    for name in ("published", "train.py", "helper.py", "evaluate.py"):
        (folder / name).write_text(f"# {name}\n")
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "params.yaml").write_text(PARAMS)
    (folder / ".gitignore").write_text("/data/*\n/models/*\n")
    (folder / ".dvc/config").write_text("[core]\n    analytics = false\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with Repo() as repo:
            repo.reproduce("evaluate@small")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Run")
    return folder


@pytest.fixture(autouse=True)
def here(origin, tmp_path, monkeypatch):
    """A fresh clone, which has neither data nor cache."""
    git(tmp_path, "clone", "--quiet", str(origin), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert not Path("data/digits").exists()


def replace(name, old, new):
    path = Path(name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def check(capsys, *arguments):
    code = cli.main(["check", *arguments])
    out, err = capsys.readouterr()
    return code, (err or out).splitlines()


def test_a_fresh_clone_is_current(capsys):
    assert check(capsys) == (0, [NEVER, CURRENT])


def test_what_is_not_in_git_is_named(capsys):
    """As what a new experiment has made, which `git commit --all` leaves out."""
    Path("listings").mkdir()
    Path("listings/pets.csv").write_text("path,sha256\n")
    Path("notes.txt").write_text("of a person\n")
    git(Path(), "rm", "--quiet", "--cached", "metrics/small.json")
    line = "not in git, as it should be: listings, metrics/small.json; `git add --all` takes it in"
    assert check(capsys) == (0, [NEVER, line, CURRENT])


def test_what_a_stage_makes_elsewhere_does_not_belong_into_git(capsys, tmp_path):
    elsewhere = tmp_path / "elsewhere.txt"
    with Path("dvc.yaml").open("a") as file:
        file.write(f"  own:\n    cmd: touch {elsewhere}\n")
        file.write(f"    outs:\n      - {elsewhere}: {{cache: false}}\n")
    elsewhere.touch()
    Path("metrics/new.json").touch()
    code, lines = check(capsys)
    assert (code, [line for line in lines if "in git" in line]) == (0, [])


def test_what_has_never_run_counts_if_asked_for(capsys):
    code, said = check(capsys, "--all")

    assert code == 1
    assert said == [
        NEVER,
        "imago check: dvc.lock is not current, 3 stages would run; run `dvc repro`",
    ]


def test_a_table_of_decisions_that_was_changed(capsys):
    """And not taken up; nothing else tells, for DVC sees its digest in params.yaml alone."""
    Path("decisions").mkdir()
    table = Path("decisions/digits.csv")
    table.write_text("photo,decision,label,why\n")
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    replace("params.yaml", "greatest_megapixels: 1", f"decisions_sha256: {digest}")
    _, taken_up = check(capsys)
    table.write_text("photo,decision,label,why\na.jpg,drop,,\n")
    code, changed = check(capsys)

    said = "decisions/digits.csv is not the one that params.yaml has taken up; run `imago decide d"
    assert code == 1
    assert said not in "\n".join(taken_up)
    assert said in "\n".join(changed)


AFTER_TRAIN = "evaluate@small would follow, if what they need comes out different"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        pytest.param(
            "params.yaml",
            "learning_rate: 0.1, layers",
            "learning_rate: 0.05, layers",
            [
                "train@small would run: experiments.small.train.learning_rate changed from 0.1 "
                "to 0.05",
                AFTER_TRAIN,
            ],
            id="a value",
        ),
        pytest.param(
            "params.yaml",
            "layers: [4, 2], jit: true",
            "layers: [4], dropout: null",
            [
                "train@small would run: experiments.small.train.layers changed from [4, 2] to "
                "[4]; experiments.small.train.jit is gone, was true; "
                "experiments.small.train.dropout is new, null",
                AFTER_TRAIN,
            ],
            id="keys",
        ),
        pytest.param(
            "train.py",
            "#",
            "##",
            ["train@small would run: train.py changed", AFTER_TRAIN],
            id="code",
        ),
        pytest.param(
            "dvc.yaml",
            "cp models/${key}",
            "cp -f models/${key}",
            [
                "evaluate@small would run: its command changed from `cp models/small "
                "metrics/small.json` to `cp -f models/small metrics/small.json`"
            ],
            id="command",
        ),
        pytest.param(
            "dvc.yaml",
            "[evaluate.py, ",
            "[evaluate.py, helper.py, ",
            ["evaluate@small would run: it now needs helper.py"],
            id="dependency",
        ),
        pytest.param(
            "dvc.yaml",
            'outs: ["models/${key}"]',
            'outs: ["models/${key}", "models/${key}.log"]',
            ["train@small would run: it now makes models/small.log", AFTER_TRAIN],
            id="out",
        ),
        pytest.param(
            "metrics/small.json",
            "#",
            "##",
            ["evaluate@small would run: metrics/small.json changed since it made this"],
            id="metrics edited by hand",
        ),
        pytest.param(
            "params.yaml",
            "  late:\n",
            "  new:\n    data: digits\n    train: {}\n  late:\n",
            [
                "train@new would run: never run, though what it needs has",
                "evaluate@new would follow, if what they need comes out different",
            ],
            id="an experiment on data that are there",
        ),
    ],
)
def test_a_change(capsys, name, old, new, said):
    replace(name, old, new)

    code, lines = check(capsys)

    assert code == 1
    assert lines[: len(said)] == said
    last = "evaluate@new" if "new:" in new else "evaluate@small"
    assert lines[-1] == (
        f"imago check: dvc.lock is not current, 1 stage would run; run `dvc repro {last}`"
    )


def test_stages_with_the_same_reason_share_a_line(capsys):
    replace("published", "#", "##")
    replace("train.py", "#", "##")
    replace("helper.py", "#", "##")

    code, said = check(capsys)

    assert code == 1
    assert said[:2] == [
        "fetch@digits would run: published changed",
        "train@small would run: helper.py, train.py changed",
    ]


def test_files_that_are_missing(capsys):
    Path("train.py").unlink()
    Path("metrics/small.json").unlink()

    _, said = check(capsys)

    assert said[:2] == [
        "train@small would run: train.py is missing",
        "evaluate@small would run: metrics/small.json is missing",
    ]


def test_data_that_are_there_are_looked_at(capsys):
    Path("data").mkdir()
    Path("data/digits").write_text("other data")

    _, said = check(capsys)

    assert said[:2] == [
        "fetch@digits would run: data/digits changed since it made this",
        "train@small would run: data/digits changed",
    ]


def test_a_lock_of_two_runs(capsys):
    """As after a merge: what one stage made is not what the next one used."""
    lock = Path("dvc.lock").read_text()
    train = lock.index("train@small")
    made = lock.index("md5: ", lock.index("path: models/small", train))
    Path("dvc.lock").write_text(f"{lock[: made + 5]}{'f' * 32}{lock[made + 37 :]}")

    code, said = check(capsys)

    assert code == 1
    assert said[0] == (
        "evaluate@small would run: models/small made by train@small differs from what it used"
    )


def test_without_a_lock_nothing_has_run(capsys):
    Path("dvc.lock").unlink()

    code, said = check(capsys)

    assert code == 1
    assert said[-1] == ("imago check: there is no dvc.lock, so no stage has run; run `dvc repro`")


@pytest.mark.parametrize(
    ("name", "content", "begin"),
    [
        ("dvc.lock", "<<<<<<< HEAD\n", "dvc.lock: must "),
        (
            "dvc.lock",
            "schema: '2.0'\nstages: {train@small: {cmd: x}}\n",
            "dvc.lock is cut off or broken",
        ),
        ("dvc.yaml", "stages: {a: {command: x}}\n", "'"),
        ("dvc.yaml", "stages: [\n", "unable to read: 'dvc.yaml'"),
        ("params.yaml", "seed: [\n", ""),
        ("params.yaml", "seed: 1\n", "failed to parse 'stages.fetch.foreach' in 'dvc.yaml': Could"),
    ],
)
def test_what_cannot_be_told_is_one_line(capsys, name, content, begin):
    Path(name).write_text(content)

    code, said = check(capsys)

    assert code == 2
    assert len(said) == 1
    assert said[0].startswith(f"imago check: {begin}")


def test_outside_of_a_project(capsys, monkeypatch, tmp_path):
    shutil.rmtree(".dvc")

    code, said = check(capsys)

    assert code == 2
    assert said[0].startswith("imago check: this folder must be a DVC project")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("seed: 20", "seed: 20\nepoch: 3", "params.yaml: epoch is an unknown key, got 3"),
        ("seed: 20", "seed: twenty", "params.yaml: seed must be a whole number, got 'twenty'"),
        ("seed: 20", "seed: [", "params.yaml: must be YAML: line "),
    ],
)
def test_params_that_every_stage_would_refuse(old, new, fault, tmp_path, monkeypatch, capsys):
    """Of which no stage depends on some, so that DVC takes all to be current."""
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    echo_project.create(tmp_path)
    text = (tmp_path / "params.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "params.yaml").write_text(text.replace(old, new), "utf-8")
    assert cli.main(["check"]) == 2
    assert fault in capsys.readouterr().err
