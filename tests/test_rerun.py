"""For every single value in params.yaml: which stages a change of it runs again."""

import copy
import functools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.dependency import Dependency, ParamsDependency
from dvc.repo import Repo

ROOT = Path(__file__).parents[1]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
Key = tuple[str | int, ...]


def leaves(section: Any, key: Key = ()) -> Iterator[Key]:
    if isinstance(section, dict):
        for name, value in section.items():
            yield from leaves(value, (*key, name))
    elif isinstance(section, list):
        for index, value in enumerate(section):
            yield from leaves(value, (*key, index))
    else:
        yield key


def changed(params: dict[str, Any], key: Key) -> dict[str, Any]:
    """A copy with another value of the same type at `key`."""
    params = copy.deepcopy(params)
    section = params
    for part in key[:-1]:
        section = section[part]
    match section[key[-1]]:
        case bool(value):
            section[key[-1]] = not value
        case int(value) | float(value):
            section[key[-1]] = value + 1
        case str(value):
            section[key[-1]] = f"{value}x"
    return params


def stages_of_experiment(name: str, *first: str) -> set[str]:
    """The stages of an experiment from `first` on."""
    stages = {f"{stage}@{name}" for stage in (*first, "report")} | {"overview"}
    if "train" in first:
        stages |= {f"evaluate@{name}", f"export@{name}"}
    if {"train", "evaluate"} & set(first):
        stages.add(f"figures@{name}")
    return stages


def stages_after_variant(name: str) -> set[str]:
    stages = {f"prepare@{name}", f"preview@{name}"}
    for features, settings in PARAMS["features"].items():
        if settings["variant"] == name:
            stages.add(f"embed@{features}")
    for experiment, settings in PARAMS["experiments"].items():
        if settings["pixels"] == f"prepared/{name}":
            stages |= stages_of_experiment(experiment, "train")
    return stages


def stages_after_features(name: str) -> set[str]:
    stages = {f"embed@{name}"}
    for experiment, settings in PARAMS["experiments"].items():
        if settings["input"] == f"features/{name}":
            stages |= stages_of_experiment(experiment, "train")
    return stages


def expected(key: Key) -> set[str]:
    """What each value means to the pipeline, written down apart from dvc.yaml."""
    match key:
        case ("seed",):
            return set().union(*(stages_after_variant(name) for name in PARAMS["prepare"]))
        case ("experiments", _, "floors", *_) | ("gate", *_):
            return set()  # what `imago gate` reads, and no stage
        case ("datasets" | "weights", _, "sources", *_):
            return set()  # wherever the files come from, their bytes are the same
        case ("datasets", name, section, *_):
            stages = {f"fetch@{name}"} if section == "files" else set()
            stages.add(f"extract@{name}")
            for variant, settings in PARAMS["prepare"].items():
                if settings["dataset"] == name:
                    stages |= stages_after_variant(variant)
            return stages
        case ("prepare", name, *_):
            return stages_after_variant(name)
        case ("weights", name, "files", *_):
            stages = {f"fetch_weights@{name}"}
            for features, settings in PARAMS["features"].items():
                if settings["weights"] == name:
                    stages |= stages_after_features(features)
            return stages
        case ("features", name, *_):
            return stages_after_features(name)
        case ("experiments", name, "pixels", *_):
            return stages_of_experiment(name, "train", "evaluate", "export")
        case ("experiments", name, "input" | "train", *_):
            return stages_of_experiment(name, "train")
        case ("experiments", name, "export"):
            return stages_of_experiment(name, "export")
        case ("exports", name, *_):
            stages = set()
            for experiment, settings in PARAMS["experiments"].items():
                if settings["export"] == name:
                    stages |= stages_of_experiment(experiment, "export")
            return stages
    raise AssertionError(key)


def tracked(dep: Dependency) -> list[str]:
    """The keys of params.yaml that a dependency stands for. DVC would read the file for each."""
    return dep.params if isinstance(dep, ParamsDependency) else []


def value(params: dict[str, Any], key: str) -> Any:
    """The value at a key with dots; None where nothing is there."""
    return functools.reduce(lambda section, name: (section or {}).get(name), key.split("."), params)


class Pipeline:
    """dvc.yaml beside a params.yaml, as DVC reads them."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(ROOT / "dvc.yaml", folder)
        Repo.init(str(folder), no_scm=True).close()
        self.folder = folder
        self.before = self.definitions(PARAMS)

    def definitions(self, params: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        """Everything by which DVC decides whether a stage is as it was, and its outs."""
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params))
        with Repo(str(self.folder)) as repo:
            return {
                stage.name: (
                    stage.cmd,
                    {dep.def_path for dep in stage.deps},
                    [value(params, key) for dep in stage.deps for key in tracked(dep)],
                    {out.def_path for out in stage.outs},
                )
                for stage in repo.index.stages
            }

    def rerun(self, params: dict[str, Any]) -> set[str]:
        """The stages that differ, and those that stand on the outs of one that does."""
        after = self.definitions(params)
        found = {name for name, stage in after.items() if stage != self.before.get(name)}
        while True:
            outs = set().union(*(after[name][3] for name in found))
            # A stage may read the folder that an out is in.
            touched = {str(path) for out in outs for path in (Path(out), *Path(out).parents)}
            more = {name for name, stage in after.items() if stage[1] & touched} - found
            if not more:
                return found
            found |= more


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("pipeline"))


@pytest.mark.parametrize("key", list(leaves(PARAMS)), ids=lambda key: ".".join(map(str, key)))
def test_a_change_reruns_the_stages_that_depend_on_it(pipeline, key):
    assert pipeline.rerun(changed(PARAMS, key)) == expected(key)


def test_a_new_experiment_runs_no_stage_of_another(pipeline):
    params = copy.deepcopy(PARAMS)
    params["experiments"]["another"] = params["experiments"]["mnist_sgd"]
    assert pipeline.rerun(params) == stages_of_experiment("another", "train")
