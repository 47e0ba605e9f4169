"""For every kind of value in params.yaml: which stages a change of it runs again."""

import contextlib
import copy
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.dependency import ParamsDependency
from dvc.parsing import DataResolver
from dvc.repo import Repo

ROOT = Path(__file__).parents[1]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
NAMED = ("datasets", "prepare", "weights", "features", "experiments")
"""The sections whose entries stand beside each other and have stages of their own."""
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


def kind(key: Key) -> Key:
    """Return what a value has in common with those that other entries hold at the same place."""
    section, *place = (part for part in key if isinstance(part, str))
    if section in NAMED:
        place[0] = "*"
    if place[1:2] == ["files"]:  # the name is the file's
        place[2:] = ["*"]
    return (section, *place)


def one_of_each_kind() -> Iterator[Key]:
    """Yield a value of each kind, of the first entry, the second and so on in turn."""
    kinds: dict[Key, list[Key]] = {}
    for key in leaves(PARAMS):
        kinds.setdefault(kind(key), []).append(key)
    for turn, keys in enumerate(kinds.values()):
        yield keys[turn % len(keys)]


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


def value(params: dict[str, Any], key: str) -> Any:
    """The value at a key with dots; None where nothing is there."""
    return functools.reduce(lambda section, name: (section or {}).get(name), key.split("."), params)


class Pipeline:
    """dvc.yaml beside a params.yaml, as DVC resolves them."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.before = self.definitions(PARAMS)

    def definitions(self, params: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        """Everything by which DVC decides whether a stage is as it was, and its outs."""
        resolver = DataResolver(self.repo, "", {"vars": [params], "stages": STAGES})
        return {
            name: (
                stage["cmd"],
                set(stage["deps"]),
                {key: value(params, key) for key in stage.get("params", ())},
                {
                    path
                    for kind in ("outs", "metrics", "plots")
                    for out in stage.get(kind, ())
                    for path in ([out] if isinstance(out, str) else out)
                },
            )
            for name, stage in resolver.resolve()["stages"].items()
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
def pipeline(tmp_path_factory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("pipeline")  # without a params.yaml, which DVC would read
    Repo.init(str(folder), no_scm=True).close()
    with contextlib.chdir(folder), Repo() as repo:
        yield Pipeline(repo)


@pytest.mark.parametrize("key", list(one_of_each_kind()), ids=lambda key: ".".join(map(str, key)))
def test_a_change_reruns_the_stages_that_depend_on_it(pipeline, key):
    assert pipeline.rerun(changed(PARAMS, key)) == expected(key)


def test_the_chosen_values_are_of_every_entry():
    entries = {(section, name) for section in NAMED for name in PARAMS[section]}
    assert {key[:2] for key in one_of_each_kind()} >= entries


def test_stages_are_those_of_dvc(pipeline):
    with Repo(str(ROOT)) as repo:
        found = {
            stage.name: (
                stage.cmd,
                {dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)},
                {
                    key
                    for dep in stage.deps
                    if isinstance(dep, ParamsDependency)
                    for key in dep.params
                },
                {out.def_path for out in stage.outs},
            )
            for stage in repo.index.stages
        }
    assert found == {
        name: (cmd, deps, set(params), outs)
        for name, (cmd, deps, params, outs) in pipeline.before.items()
    }


def test_a_new_experiment_runs_no_stage_of_another(pipeline):
    params = copy.deepcopy(PARAMS)
    params["experiments"]["another"] = params["experiments"]["mnist_sgd"]
    assert pipeline.rerun(params) == stages_of_experiment("another", "train")
