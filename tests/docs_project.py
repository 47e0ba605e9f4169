"""This repository as others clone it, on tiny data: all of it, and what it publishes elsewhere."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from imago.core import strict_yaml
from imago.core.sections import UNPUBLISHED
from imago.project import yaml_text
from tests import tiny_project, tiny_sources, torch_file
from tests.console import Shell
from tests.tiny_project import ROOT, run

OUTCOMES = ("dvc.lock", "metrics", "reports")
"""What a run makes and git keeps: of other data than these."""


@dataclass(frozen=True)
class Hub:
    """A folder with a bare repository, published files and clones."""

    home: Path

    @property
    def published(self) -> Path:
        """What IMAGO_MIRROR names, a folder for each data set."""
        return self.home / "published"

    def copy(self, home: Path) -> "Hub":
        """Copy the repository into an empty folder, to be pushed to."""
        shutil.copytree(self.home / "hub.git", home / "hub.git")
        (home / "published").symlink_to(self.published)
        return Hub(home)

    def clone(self, name: str, cache: Path | None = None) -> Path:
        """Clone into a folder, with an environment that make takes for set up.

        Args:
            name: The folder's.
            cache: Whose files become those of the clone's DVC cache.
        """
        folder = self.home / name
        run(self.home, "git", "clone", "--quiet", "hub.git", name)
        if cache:
            shutil.copytree(cache, folder / ".dvc/cache", copy_function=os.link)
        environment = folder / ".venv"
        environment.mkdir()
        for path in Path(sys.prefix).iterdir():
            if not path.name.startswith("ready-"):
                (environment / path.name).symlink_to(path)
        for marker in ("ready-cpu", "ready-dev"):
            (environment / marker).touch()
        return folder

    def shell(self, folder: Path) -> Shell:
        """Open a shell in a clone, its environment activated."""
        # A make that runs these tests hands its own arguments down.
        inherited = {
            key: value
            for key, value in tiny_project.environment().items()
            if not key.startswith(("MAKE", "MFLAGS", "DVC_", "GIT_CONFIG"))
        }
        return Shell(
            folder,
            inherited
            | {
                "IMAGO_MIRROR": str(self.published),
                "PYTHONPATH": ".",  # of the imago that is installed, the clone's own
                "COLUMNS": "120",
                "LC_ALL": "C.UTF-8",
                "GIT_CONFIG_GLOBAL": os.devnull,
            },
        )


def create(home: Path, formats: Iterable[str], without: Iterable[str] = ()) -> Hub:
    """Write a repository in which nothing has run, and the files that it needs.

    Args:
        home: An empty folder.
        formats: That experiments are exported to, the others taking long.
        without: Experiments that are taken out of params.yaml.
    """
    hub = Hub(home)
    work = home / "work"
    for name in run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")[
        :-1
    ].split("\0"):
        if not name.startswith(OUTCOMES) and (ROOT / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, work / name)
    for path in (work / "params.yaml", *(work / "recipes").glob("*.yaml")):
        path.write_text(_on_tiny_data(path.read_text("utf-8"), hub, list(formats)), "utf-8")
    run(work, "git", "init", "--quiet", "--initial-branch=main")
    for name in without:
        run(work, sys.executable, "-m", "imago", "remove", name)
    tiny_project.commit(work, "Begin")
    run(home, "git", "clone", "--quiet", "--bare", "work", "hub.git")
    shutil.rmtree(work)
    return hub


def _on_tiny_data(text: str, hub: Hub, formats: list[str]) -> str:
    """Return params.yaml or a recipe with the digests of tiny files, which are published."""
    values = strict_yaml.read(text)
    for dataset, settings in values["datasets"].items():
        made = tiny_sources.MAKERS[dataset](settings["files"])
        for name, content in made.items():
            path = hub.published / dataset / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            text = yaml_text.put(text, ["datasets", dataset, "files", name], digest)
    for weights, settings in values.get("weights", {}).items():
        (name,) = settings["files"]
        path = hub.published / weights / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_weights(path)
        if settings["files"][name] != UNPUBLISHED:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            text = yaml_text.put(text, ["weights", weights, "files", name], digest)
    for name, settings in values["experiments"].items():
        if settings["train"]["model"] == "transfer":  # what weights that nobody trained tell
            text = yaml_text.put(text, ["experiments", name, "train", "epochs"], 40)
    for name in values["exports"]:
        for key, value in (
            ("formats", formats),
            ("greatest_accuracy_loss", 0.9),  # of few images, one is much
            ("calibration_images", 10),
        ):
            text = yaml_text.put(text, ["exports", name, key], value)
    return text


def write_weights(path: Path) -> None:
    """Write weights of the recipes' backbones, as they are published."""
    import keras  # here, since few tests need it

    if path.suffix == ".pth":
        torch_file.write(path, torch_file.of_lite("EfficientNetLite0"))
        return
    keras.utils.set_random_seed(1)
    net = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    tiny_project.write_weights(path, net, tiny_project.many_colors() / 127.5 - 1)
