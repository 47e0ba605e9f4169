"""Days of people who work with a project, by the commands of README and docs/team.md."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import docs_project, tiny_project
from tests.console import Shell
from tests.docs_project import Hub
from tests.trees import contents

pytestmark = pytest.mark.slow

NOTHING_RAN = "Data and pipelines are up to date."
SGD, ADAM = "mnist_sgd", "mnist_adam"
OF_EXPERIMENT = ("train", "evaluate", "export", "figures", "report")
NOT_ASKED_FOR = ("fashion", "cifar", "cat_dog")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Hub]:
    """A repository with two experiments, run by somebody who has pushed everything."""
    home = tmp_path_factory.mktemp("shared")
    hub = docs_project.create(home, formats=["litert"], without=["fashion_mlp"])
    with hub.shell(hub.clone("author")) as author:
        author.check("make repro")
        author.check("dvc remote add --default storage ../store")
        author.check("dvc remote modify storage verify true")
        author.check("dvc push")
        share(author, "Run")
    yield hub
    shutil.rmtree(home)


@pytest.fixture
def hub(shared, tmp_path) -> Iterator[Hub]:
    """A copy of it, with its remote."""
    shutil.copytree(shared.home / "store", tmp_path / "store")
    yield shared.copy(tmp_path)
    shutil.rmtree(tmp_path)


def stages_run(printed: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", printed))


def of(experiment: str) -> set[str]:
    """Return the stages of an experiment."""
    return {f"{stage}@{experiment}" for stage in OF_EXPERIMENT}


def put(clone: Path, experiment: str, key: str, value: object) -> None:
    """Edit a hyperparameter in params.yaml."""
    path = clone / "params.yaml"
    before, section, after = path.read_text("utf-8").partition(f"\n  {experiment}:\n    input")
    assert section
    after, count = re.subn(rf"(\n      {key}:) .*", rf"\1 {value}", after, count=1)
    assert count == 1
    path.write_text(before + section + after, "utf-8")


def share(shell: Shell, message: str) -> None:
    """Commit all, and push what git and what DVC keeps."""
    shell.check("git add --all")
    shell.check(f"git commit --message '{message}'")
    shell.check("dvc push")
    shell.check("git push")


def test_the_first_day(hub):
    with hub.shell(hub.clone("first")) as shell:
        assert of(SGD) | of(ADAM) <= stages_run(shell.check("make repro"))
        assert shell.check("git status --porcelain") == ""  # the same results, to the byte
        assert NOTHING_RAN in shell.check("dvc status")
        assert NOTHING_RAN in shell.check("dvc repro")

        change = f"experiments.{SGD}.train.learning_rate=0.05"
        ran = shell.check(f"dvc exp run -S {change}")
        assert stages_run(ran) == of(SGD) | {"overview"}
        assert shell.check("git diff --numstat params.yaml").strip() == "1\t1\tparams.yaml"
        changes = shell.check("dvc metrics diff")
        assert f"metrics/{SGD}.json" in changes
        assert ADAM not in changes
        assert "imago gate: passed" in shell.check("imago gate")


def test_a_second_person(hub):
    first, second = hub.clone("first"), hub.clone("second")
    with hub.shell(second) as shell:
        said = shell.check("dvc repro --pull --allow-missing")
        assert stages_run(said) == set()
        assert sorted(path.name for path in (second / "data").iterdir()) == ["README.md"]
        assert not (second / "models").exists()
        assert "imago check: dvc.lock is current" in shell.check("imago check")

        put(second, SGD, "learning_rate", 0.05)
        said += shell.check("dvc repro --pull --allow-missing")
        assert stages_run(said) == of(SGD) | {"overview"}
        assert not (second / "data/raw").exists()
        assert not (second / "data/extracted").exists()
        assert "imago check: dvc.lock is current" in shell.check("imago check")
        share(shell, "mnist_sgd learns slower")
    with hub.shell(first) as shell:
        said += shell.check("git pull")
        changes = shell.check("dvc metrics diff HEAD~1")
        assert f"metrics/{SGD}.json" in changes
        assert ADAM not in changes
        said += shell.check(f"dvc pull evaluate@{SGD}")
        predictions = f"predictions/{SGD}.parquet"
        assert (first / predictions).read_bytes() == (second / predictions).read_bytes()
        again = shell.check("dvc repro --pull --allow-missing")
        assert stages_run(again) == set()
        assert "imago gate: passed" in shell.check("imago gate --base HEAD~1")
    assert not [name for name in NOT_ASKED_FOR if name in said + changes + again]


def test_two_that_each_changed_an_experiment_and_added_one(hub):
    first, second = hub.clone("first"), hub.clone("second")
    for clone, changed, added in ((first, SGD, "fashion_mlp"), (second, ADAM, "cifar10_cnn")):
        put(clone, changed, "batch_size", 16)
        with hub.shell(clone) as shell:
            shell.check(f"imago add {added}")
            ran = stages_run(shell.check("dvc repro --pull --allow-missing"))
            assert of(changed) | of(added) <= ran
            shell.check("git add --all")
            shell.check(f"git commit --message 'Add {added}'")
            shell.check("dvc push")
            if clone == first:
                shell.check("git push")
    with hub.shell(second) as shell:
        pulled = shell.run("git pull --no-rebase")
        assert pulled.status == 1
        assert "CONFLICT (content): Merge conflict in dvc.lock" in pulled.printed

        resolved = shell.check("imago resolve")
        for side, taken in (
            ("this branch", of(ADAM) | of("cifar10_cnn")),
            ("the other branch", of(SGD) | of("fashion_mlp")),
        ):
            (line,) = re.findall(rf"as {side} ran them: (.*)", resolved)
            assert taken <= set(line.split(", "))
        shell.check("git commit --no-edit")
        assert "imago check: dvc.lock is current" in shell.check("imago check")
        shell.check("dvc pull")
        assert NOTHING_RAN in shell.check("dvc repro")
        assert shell.check("git status --porcelain") == ""
        assert all(
            one in shell.check("imago results") for one in (SGD, ADAM, "fashion_mlp", "cifar10_cnn")
        )
        settings = tiny_project.read_params(second)["experiments"]
        assert [settings[name]["train"]["batch_size"] for name in (SGD, ADAM)] == [16, 16]
        shell.check("dvc push")
        shell.check("git push")


def test_rename_and_remove(hub, shared):
    clone = hub.clone("first", shared.home / "author/.dvc/cache")
    with hub.shell(clone) as shell:
        shell.check("dvc pull")
        before = contents(clone / "models" / SGD)

        shell.check(f"imago rename {SGD} sgd_again")
        ran = stages_run(shell.check("dvc repro"))
        assert ran == {"export@sgd_again", "figures@sgd_again", "report@sgd_again", "overview"}
        assert contents(clone / "models/sgd_again") == before
        assert "imago check: dvc.lock is current" in shell.check("imago check")
        shell.check("git add --all")
        shell.check("git commit --message 'Another name'")

        shell.check("imago remove sgd_again")
        assert "imago check: dvc.lock is current" in shell.check("imago check")
        assert NOTHING_RAN in shell.check("dvc status")
        assert NOTHING_RAN in shell.check("dvc repro")
        shell.check("git commit --all --message 'No sgd_again any more'")
        assert shell.check("git status --porcelain") == ""
        tracked = shell.check("git ls-files '*sgd_again*' '*mnist_sgd*'").split()
        assert tracked == ["recipes/mnist_sgd.yaml"]
        left = {path.name for path in clone.glob("*/*") if path.parent.name != "recipes"}
        assert not [name for name in left if "sgd_again" in name or SGD in name]
        assert "sgd_again" not in (clone / "reports/index.html").read_text("utf-8")


def test_an_old_revision(hub, shared):
    first = hub.clone("first", shared.home / "author/.dvc/cache")
    kept = ("models", "metrics", "predictions", "exports", "reports")
    with hub.shell(first) as shell:
        shell.check("dvc checkout")
        before = {name: contents(first / name) for name in kept}
        put(first, SGD, "learning_rate", 0.05)
        shell.check("dvc repro")
        assert contents(first / "models") != before["models"]
        share(shell, "mnist_sgd learns slower")

        shell.check("git switch --detach HEAD~1")
        shell.check("dvc checkout")
        assert {name: contents(first / name) for name in kept} == before
        assert NOTHING_RAN in shell.check("dvc repro")
        shell.check("git switch main")
    other = hub.clone("other")
    with hub.shell(other) as shell:
        shell.check("git switch --detach HEAD~1")
        assert stages_run(shell.check("dvc repro --pull")) == set()
        assert {name: contents(other / name) for name in kept} == before
        shell.check(f"dvc repro --force --single-item train@{SGD}")
        assert contents(other / "models") == before["models"]
        assert shell.check("git status --porcelain") == ""
