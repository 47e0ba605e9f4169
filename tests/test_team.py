"""Two clones that share their work by git and a DVC remote, in a folder and in a store like S3."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import s3_server, tiny_project
from tests.tiny_project import commit, dvc, environment, run

pytestmark = pytest.mark.slow

WANTED = ("evaluate@plain", "export@plain")
RATE = "experiments.plain.train.learning_rate"
PREDICTIONS = Path("predictions/plain.parquet")
IMAGES = Path("data/prepared/tiny8/train/images.npy")


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '([^']+)'", output))


def failing(folder: Path, *command: str) -> str:
    """What a command that must fail says on both streams."""
    found = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert found.returncode, found.stdout
    return found.stdout


def imago(folder: Path, *arguments: str) -> str:
    return run(folder, sys.executable, "-m", "imago", *arguments)


@dataclass(frozen=True)
class Folder:
    """A DVC remote in a folder."""

    url: str

    settings = ()

    def damage(self, digest: str) -> None:
        path = Path(self.url) / "files/md5" / digest[:2] / digest[2:]
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        path.chmod(0o444)  # as DVC left it, or DVC itself notices


@dataclass(frozen=True)
class Bucket:
    """A DVC remote in a store like S3."""

    server: s3_server.Server
    url: str = f"s3://{s3_server.BUCKET}/imago"

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        return (("endpointurl", self.server.url),)

    def damage(self, digest: str) -> None:
        name = {"Bucket": s3_server.BUCKET, "Key": f"imago/files/md5/{digest[:2]}/{digest[2:]}"}
        content = self.server.client.get_object(**name)["Body"].read()
        self.server.client.put_object(**name, Body=content[:-1] + b"?")


@dataclass(frozen=True)
class Team:
    """A bare repository, a remote, and a first clone whose work is in both."""

    home: Path
    remote: Folder | Bucket

    @property
    def first(self) -> Path:
        return self.home / "first"

    def clone(self, name: str) -> Path:
        run(self.home, "git", "clone", "--quiet", "hub.git", name)
        return self.home / name


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project in which the experiment `plain` has run."""
    folder = tmp_path_factory.mktemp("team") / "trained"
    folder.mkdir()
    tiny_project.create_with_digits(folder)
    values = tiny_project.read_params(folder)
    values["exports"][tiny_project.EXPORT]["formats"] = ["litert"]  # the others take long
    tiny_project.write_params(folder, values)
    dvc(folder, "repro", *WANTED)
    commit(folder, "Run")
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[s3_server.Server]:
    with s3_server.running() as server:
        yield server


on_both = pytest.mark.parametrize("team", ["folder", "s3"], indirect=True)
in_a_folder = pytest.mark.parametrize("team", ["folder"], indirect=True)


@pytest.fixture(scope="module")
def team(request, trained, server, tmp_path_factory) -> Iterator[Team]:
    """The first clone, set up as docs/team.md says."""
    home = tmp_path_factory.mktemp(request.param)
    store = home / "store"
    store.mkdir()
    remote = Folder(str(store)) if request.param == "folder" else Bucket(server)
    first = shutil.copytree(trained, home / "first", symlinks=True)
    run(home, "git", "init", "--quiet", "--bare", "--initial-branch=main", "hub.git")
    run(first, "git", "remote", "add", "origin", str(home / "hub.git"))
    dvc(first, "remote", "add", "--default", "storage", remote.url)
    for name, value in (("verify", "true"), *remote.settings):
        dvc(first, "remote", "modify", "storage", name, value)
    dvc(first, "push", *WANTED, "--with-deps")
    commit(first, "Share the artifacts")
    run(first, "git", "push", "--quiet", "--set-upstream", "origin", "main")
    yield Team(home, remote)
    shutil.rmtree(home)


@pytest.fixture
def clone(team, tmp_path) -> Iterator[Path]:
    """A fresh clone."""
    path = team.clone(tmp_path.name)
    yield path
    shutil.rmtree(path)


def digest(folder: Path, artifact: Path) -> str:
    return hashlib.md5((folder / artifact).read_bytes()).hexdigest()


@on_both
def test_a_second_clone_runs_what_it_changes_and_the_first_sees_it(team):
    second = team.clone("second")
    assert "can be used" in imago(second, "remote")
    assert stages_run(dvc(second, "repro", "--pull", "--allow-missing", *WANTED)) == set()
    assert not (second / "data/raw/tiny").exists()
    dvc(second, "pull", *WANTED)
    assert sorted(path.name for path in (second / "exports").iterdir() if path.is_dir()) == [
        "plain"
    ]
    assert not (second / "models/plain").exists()

    params = second / "params.yaml"
    params.write_text(
        params.read_text().replace("learning_rate: 0.01", "learning_rate: 5.0e-05", 1)
    )
    ran = stages_run(dvc(second, "repro", "--pull", "--allow-missing", *WANTED))
    assert ran == {"train@plain", *WANTED}
    assert (second / "data/prepared/tiny8").is_dir()
    assert not (second / "data/raw/tiny").exists()
    assert not (second / "data/extracted/tiny").exists()
    commit(second, "Learn slowly")
    dvc(second, "push", *WANTED, "--with-deps")
    run(second, "git", "push", "--quiet")

    run(team.first, "git", "pull", "--quiet")
    changes = json.loads(dvc(team.first, "metrics", "diff", "HEAD~1", "--json"))
    assert changes["metrics/plain.json"]["loss"]["diff"] > 0
    dvc(team.first, "pull", *WANTED, "--with-deps")
    assert stages_run(dvc(team.first, "repro", *WANTED)) == set()
    assert digest(team.first, PREDICTIONS) == digest(second, PREDICTIONS)


@in_a_folder
def test_an_experiment_goes_to_a_colleague_without_a_commit(team, clone):
    dvc(team.first, "exp", "run", "--name", "other", "-S", f"{RATE}=0.002", "train@plain")
    dvc(team.first, "exp", "push", "origin", "other")
    run(team.first, "git", "checkout", "--quiet", ".")

    assert "other" in dvc(clone, "exp", "list", "origin")
    dvc(clone, "exp", "pull", "origin", "other")
    said = failing(clone, "dvc", "exp", "apply", "other")  # over what has never run, alone
    named = set(re.findall("^[a-z]+/.*", said, re.M))
    assert "models/validated" in named
    assert not named & {"data/prepared/tiny8", "models/plain", "exports/plain", str(PREDICTIONS)}
    assert "learning_rate: 0.002" in (clone / "params.yaml").read_text()
    assert stages_run(dvc(clone, "repro", "train@plain")) == set()


@on_both
def test_a_damaged_object_of_the_remote_is_named_and_not_used(team, clone):
    dvc(team.first, "pull", *WANTED, "--with-deps")
    shutil.rmtree(clone / ".dvc/cache", ignore_errors=True)
    for artifact in (PREDICTIONS, IMAGES):
        team.remote.damage(digest(team.first, artifact))

    said = failing(clone, "dvc", "pull", "evaluate@plain")
    assert str(PREDICTIONS) in said
    assert not (clone / PREDICTIONS).exists()
    said = failing(clone, "dvc", "pull", "prepare@tiny8")
    assert "data/prepared/tiny8" in said
    assert not (clone / IMAGES).exists()
    said = failing(clone, "imago", "verify", "--remote")
    assert re.search(rf"^{PREDICTIONS}: damaged in storage \({team.remote.url}\), \S+$", said, re.M)
    assert re.search(rf"^{IMAGES}: damaged in storage", said, re.M)
    assert "2 damaged, 0 absent" in said

    assert failing(clone, "imago", "verify", "--remote", "--remove").endswith(
        "brings them again.\n"
    )
    dvc(team.first, "push", *WANTED, "--with-deps")
    assert "0 damaged, 0 absent" in imago(clone, "verify", "--remote")
    dvc(clone, "pull", "evaluate@plain", "prepare@tiny8")
    assert digest(clone, IMAGES) == digest(team.first, IMAGES)


@in_a_folder
def test_the_model_of_an_earlier_commit_is_not_taken_for_that_of_this_one(team, clone):
    dvc(clone, "pull", *WANTED, "--with-deps")
    other = team.clone("other")
    params = other / "params.yaml"
    faster = re.sub(r"learning_rate: \S+", "learning_rate: 0.02", params.read_text(), count=1)
    params.write_text(faster)
    dvc(other, "repro", "--pull", "--allow-missing", *WANTED)
    commit(other, "Learn fast")
    dvc(other, "push", *WANTED, "--with-deps")
    run(other, "git", "push", "--quiet")

    run(clone, "git", "pull", "--quiet")
    said = failing(clone, "dvc", "repro", "--pull", "--allow-missing", *WANTED)
    assert "models/plain: must be what train@plain wrote, as dvc.lock says" in said
    run(clone, "git", "checkout", "--quiet", ".")  # what DVC leaves of the stage that failed
    dvc(clone, "checkout", "--allow-missing")
    assert stages_run(dvc(clone, "repro", "--pull", "--allow-missing", *WANTED)) == set()
    assert run(clone, "git", "status", "--porcelain") == ""
