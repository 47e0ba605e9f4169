"""dvc.yaml against the code: imports, paths, names of parameters."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc.stage import PipelineStage

from imago import params
from imago.core import paths

ROOT = Path(__file__).parents[1]
SETTINGS = params.load(ROOT / paths.PARAMS)


def _stages() -> dict[str, PipelineStage]:
    with Repo(str(ROOT)) as repo:
        return {stage.name: stage for stage in repo.index.stages}


STAGES = _stages()


def parts(name: str) -> tuple[str, str]:
    """The stage and the entry, which is empty where the stage stands once."""
    stage, _, entry = name.partition("@")
    return stage, entry


def deps(stage: PipelineStage) -> set[str]:
    return {dep.def_path for dep in stage.deps if dep.def_path != "params.yaml"}


def modules_of(path: Path) -> Iterator[Path]:
    """The modules of this repository that a module imports, by reading it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports by full name are what this test can follow"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            stem = ROOT.joinpath(*name.split("."))
            yield from (p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file())


def holds_code(path: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text("utf-8")).body)


def closure(*starts: Path) -> set[str]:
    seen, open_ends = set(), list(starts)
    while open_ends:
        path = open_ends.pop()
        if path not in seen:
            seen.add(path)
            open_ends += modules_of(path)
    return {str(path.relative_to(ROOT)) for path in seen if holds_code(path)}


def is_code(dep: str) -> bool:
    return dep.startswith(("imago/", "stages/"))


def room_of(module: str) -> str:
    """A package's modules are one dep, its folder; what stands beside the packages is one itself.

    Of the layouts and the architectures a stage takes one, so each is a room.
    """
    package, name, *rest = module.split("/")
    if (package, name) == ("imago", "datasets"):
        return f"imago/datasets/{rest[0]}"
    return f"imago/{name}" if package == "imago" and rest and name != "models" else module


def entries(package: str, module: str = "[a-z]*.py") -> set[str]:
    """The modules of a package that are taken by their names, not by an import."""
    return {str(path.relative_to(ROOT)) for path in (ROOT / package).glob(module)}


BY_NAME = {
    "extract": entries("imago/datasets", "*/layout.py"),
    "backbone": entries("imago/backbones"),
    "train": entries("imago/models"),
    "export": entries("imago/exports/formats"),
    "figures": entries("imago/figures"),
}
"""Of which each stage depends on one, or on their room, and on all that any of them imports."""


def taken_by_name(stage: str, entry: str) -> set[str]:
    if stage == "extract":
        return {f"imago/datasets/{SETTINGS.datasets[entry].layout}"}
    if stage in ("backbone", "export", "figures"):
        return {room_of(module) for module in BY_NAME[stage]}
    if stage == "train":
        return {f"imago/models/{SETTINGS.experiments[entry].train.model}.py"}
    return set()


@pytest.mark.parametrize("name", STAGES)
def test_deps_are_the_rooms_of_what_the_stage_imports(name):
    """Every room that it imports from, and no other."""
    stage, entry = parts(name)
    by_name = BY_NAME.get(stage, set())
    imported = closure(ROOT / "stages" / f"{stage}.py", *(ROOT / module for module in by_name))
    rooms = {room_of(module) for module in imported} - {room_of(module) for module in by_name}
    declared = {dep for dep in deps(STAGES[name]) if is_code(dep)}
    assert declared == rooms | taken_by_name(stage, entry)


@pytest.mark.parametrize("package", ["imago/datasets", "imago/models"])
def test_entries_of_a_package_import_none_of_their_kind(package):
    """Or a change of one would have to run again what takes another."""
    rooms = {room_of(module) for module in entries(package, "**/[a-z]*.py")}
    for module in entries(package, "**/[a-z]*.py"):
        imported = {room_of(str(path.relative_to(ROOT))) for path in modules_of(ROOT / module)}
        assert not (imported & rooms) - {room_of(module)}, module


@pytest.mark.parametrize("module", sorted(entries("imago/scoring/metrics")))
def test_metrics_import_from_rooms_of_whoever_scores(module):
    """They are found by their names, so that no other test follows their imports."""
    rooms = {room_of(found) for found in closure(ROOT / module)}
    assert rooms <= {"imago/scoring", "imago/core"}, module


def expected_files(stage: str, entry: str) -> tuple[set[Path], set[Path]]:
    """What a stage's script reads and writes, from the paths that it uses."""
    match stage:
        case "fetch":
            return set(), {paths.raw(entry)}
        case "fetch_weights":
            return set(), {paths.weights(entry)}
        case "extract":
            return {paths.raw(entry)}, {paths.extracted(entry)}
        case "prepare":
            source = paths.extracted(SETTINGS.prepare[entry].dataset)
            return {source}, {paths.prepared(entry)}
        case "preview":
            return {paths.prepared(entry)}, {paths.preview(entry)}
        case "backbone":
            return {paths.weights(SETTINGS.backbones[entry].weights)}, {paths.backbone(entry)}
        case "inspect":
            features = SETTINGS.features[entry]
            sources = {paths.prepared(features.variant), paths.backbone(features.backbone)}
            return sources | {paths.features(entry)}, {paths.inspection(entry)}
        case "embed":
            features = SETTINGS.features[entry]
            sources = {paths.prepared(features.variant), paths.backbone(features.backbone)}
            return sources, {paths.features(entry)}
        case "overview":
            return {paths.cards()}, {paths.overview(), paths.accuracies(), paths.curves()}
    experiment, model, report = SETTINGS.experiments[entry], paths.model(entry), paths.report(entry)
    learnt_from, pixels = paths.data(experiment.input), paths.data(experiment.pixels)
    return {
        "train": ({learnt_from, pixels}, {model, report / "history.csv"}),
        "evaluate": (
            {pixels, model},
            {
                paths.metrics(entry),
                paths.predictions(entry),
                report / "per_class.csv",
                report / "confusion.csv",
                report / "reliability.csv",
                report / "roc.csv",
                report / "classification_report.txt",
            },
        ),
        "export": ({pixels, model}, {paths.export(entry)}),
        "figures": (
            {
                pixels,
                model,
                paths.predictions(entry),
                report / "history.csv",
                report / "confusion.csv",
                report / "per_class.csv",
                report / "reliability.csv",
            },
            {paths.figures(entry), paths.captions(entry)},
        ),
        "report": (
            {
                learnt_from,
                pixels,
                paths.metrics(entry),
                paths.export(entry),
                paths.figures(entry),
                paths.captions(entry),
                report / "history.csv",
                report / "per_class.csv",
                report / "confusion.csv",
                report / "reliability.csv",
                report / "classification_report.txt",
            },
            {paths.page(entry), paths.card(entry)},
        ),
    }[stage]


@pytest.mark.parametrize("name", STAGES)
def test_data_deps_and_outs_are_the_paths_of_the_code(name):
    stage = STAGES[name]
    reads, writes = expected_files(*parts(name))
    assert {dep for dep in deps(stage) if not is_code(dep)} == {str(p) for p in reads}
    assert {out.def_path for out in stage.outs} == {str(p) for p in writes}


@pytest.mark.parametrize("name", STAGES)
def test_the_command_is_the_stages_script_with_the_entrys_name(name):
    stage, entry = parts(name)
    assert STAGES[name].cmd == f"python -m stages.{stage} {entry}".rstrip()


def test_every_entry_of_params_has_its_stages():
    wanted = {f"{stage}@{name}" for stage in ("fetch", "extract") for name in SETTINGS.datasets}
    wanted |= {f"fetch_weights@{name}" for name in SETTINGS.weights}
    for stage in ("prepare", "preview"):
        wanted |= {f"{stage}@{name}" for name in SETTINGS.prepare}
    wanted |= {f"backbone@{name}" for name in SETTINGS.backbones}
    wanted |= {f"inspect@{name}" for name in SETTINGS.features}
    wanted |= {f"embed@{name}" for name in SETTINGS.features}
    for stage in ("train", "evaluate", "export", "figures", "report"):
        wanted |= {f"{stage}@{name}" for name in SETTINGS.experiments}
    assert set(STAGES) == wanted | {"overview"}


def test_no_out_switches_the_run_cache_off():
    """`cache: false` does so on outs that are no metrics or plots, `persist: true` on any.

    Of a report it may be off, for it is made in a second: git keeps its card, which as metrics or
    as plots would stand between those of `dvc metrics` and `dvc plots`.
    """
    for stage in STAGES.values():
        for out in stage.outs:
            is_card = out.def_path.startswith(f"{paths.cards()}/")
            assert out.use_cache or out.metric or out.plot or is_card, out
            assert not out.persist, out


def keys(section: object) -> Iterator[str]:
    if isinstance(section, dict):
        for key, value in section.items():
            yield key
            yield from keys(value)
    elif isinstance(section, list):
        for value in section:
            yield from keys(value)


def test_no_parameter_has_a_name_that_confuses_the_run_cache():
    """DVC takes `size` and `nfiles` for fields of its own (its issue 10296)."""
    assert not {"size", "nfiles"} & set(keys(json.loads(SETTINGS.model_dump_json())))


def test_the_lock_is_that_of_these_stages():
    """dvc.lock holds the commands, parameters and code that are here, so its figures are theirs.

    Of what it holds: an experiment whose data were out of reach has never run.
    """
    run = [name for name, stage in STAGES.items() if any(out.hash_info for out in stage.outs)]
    assert {f"evaluate@{name}" for name in ("mnist_sgd", "mnist_adam", "fashion_mlp")} <= set(run)
    for name in run:
        stage = STAGES[name]
        here = [dep for dep in stage.deps if dep.def_path == "params.yaml" or is_code(dep.def_path)]
        changed = [dep.status() for dep in here if dep.status()]
        assert not changed, f"{name}: {changed}; run dvc repro"
        assert not stage.changed_stage(), f"{name}: the command changed; run dvc repro"
