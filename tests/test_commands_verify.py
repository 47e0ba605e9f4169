"""`imago verify`: damage in DVC's cache and in a remote, and what is done about it."""

import re
import shutil
from pathlib import Path

import pytest

from imago import cli
from tests import toy_project
from tests.toy_project import FOLDER, IMAGES, PREDICTIONS, damage, digest, dvc

pytestmark = pytest.mark.fault

METRICS = "    metrics:\n    - predictions.csv:\n        cache: false"


@pytest.fixture(scope="module")
def origin(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("origin")
    toy_project.create(folder)
    return folder


@pytest.fixture(autouse=True)
def project(origin, tmp_path, monkeypatch) -> Path:
    """A copy whose artifacts are in a remote as well."""
    folder = shutil.copytree(origin, tmp_path / "project", symlinks=True)
    (tmp_path / "store").mkdir()
    toy_project.add_remote(folder, str(tmp_path / "store"), verify="true")
    dvc(folder, "push")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def store(tmp_path) -> Path:
    """The remote."""
    return tmp_path / "store"


def verify(capsys, *arguments):
    code = cli.main(["verify", *arguments])
    out, err = capsys.readouterr()
    return code, err or out


def test_all_is_sound(capsys):
    assert verify(capsys) == (0, "the DVC cache: 5 sound, 0 damaged, 0 absent\n")


def test_what_the_cache_has_not_is_absent(project, capsys):
    shutil.rmtree(project / ".dvc/cache")

    # Of the folder no more than its list is known, and that is not there either.
    assert verify(capsys) == (0, "the DVC cache: 0 sound, 0 damaged, 3 absent\n")


def test_a_damaged_object_of_the_cache_is_named_and_brought_again(project, capsys):
    images = project / IMAGES
    sound = digest(images)
    damage(project / ".dvc/cache", sound)
    images.unlink()
    dvc(project, "checkout")
    assert digest(images) != sound  # DVC hands it out

    code, said = verify(capsys)

    assert code == 1
    assert re.search(rf"^{IMAGES}: damaged in the DVC cache, \S+{sound[2:]}$", said, re.M)
    assert "4 sound, 1 damaged, 0 absent" in said
    assert images.exists()
    assert verify(capsys, "--remove")[0] == 1
    assert not images.exists()
    dvc(project, "pull")
    assert digest(images) == sound
    assert verify(capsys)[0] == 0


def test_what_git_keeps_is_read_where_the_run_cache_has_it(project, capsys):
    path = project / "dvc.yaml"
    path.write_text(path.read_text().replace("    outs: [predictions.csv]", METRICS))
    dvc(project, "reproduce")
    before = verify(capsys)[1]
    damage(project / ".dvc/cache", digest(project / PREDICTIONS))

    code, said = verify(capsys)

    assert code == 1
    assert f"{PREDICTIONS}: damaged in the DVC cache" in said
    assert before == "the DVC cache: 5 sound, 0 damaged, 0 absent\n"
    assert "4 sound, 1 damaged, 0 absent" in said
    assert verify(capsys, "--remove")[0] == 1
    assert verify(capsys) == (0, "the DVC cache: 4 sound, 0 damaged, 0 absent\n")


def test_a_file_changed_by_hand_is_named_and_stays(project, capsys):
    (project / PREDICTIONS).write_text("mine")

    code, said = verify(capsys, "--remove")

    assert code == 1
    assert said == (
        "the DVC cache: 5 sound, 0 damaged, 0 absent\n"
        f"{PREDICTIONS}: is not the file that dvc.lock names; unless that was meant, delete it "
        f"and run `dvc checkout {PREDICTIONS}`\n"
    )
    assert (project / PREDICTIONS).read_text() == "mine"


def test_damaged_objects_of_the_remote_are_named_and_brought_again(project, store, capsys):
    for name in (IMAGES, PREDICTIONS):
        damage(store, digest(project / name))

    code, said = verify(capsys, "--remote")

    assert code == 1
    for name in (IMAGES, PREDICTIONS):
        assert re.search(rf"^{name}: damaged in storage \({store}\), \S+$", said, re.M)
    assert f"storage ({store}): 3 sound, 2 damaged, 0 absent" in said
    assert "Once `--remove` has deleted what is damaged, `dvc push` from a clone" in said
    code, said = verify(capsys, "--remote", "storage", "--remove")
    assert code == 1
    assert said.endswith("brings them again.\n")
    dvc(project, "push")
    assert verify(capsys, "--remote") == (
        0,
        f"storage ({store}): 5 sound, 0 damaged, 0 absent\n",
    )


def test_a_damaged_list_of_a_folder_is_named(store, capsys):
    (listed,) = store.glob("files/md5/*/*.dir")
    damage(store, f"{listed.parent.name}{listed.name}")

    code, said = verify(capsys, "--remote")

    assert code == 1
    assert said.startswith(f"{FOLDER}: damaged in storage ")
    assert "2 sound, 1 damaged, 0 absent" in said


def test_a_remote_that_is_not_there(store, capsys):
    shutil.rmtree(store)

    assert verify(capsys, "--remote", "storage") == (
        1,
        f"imago verify: storage: {store} must be a folder, and is not there; mount it, or make it "
        "for the first push\n",
    )
