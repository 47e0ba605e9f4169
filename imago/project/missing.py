"""What experiments still lack after a run that went on past its failures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imago.core import paths, sections
from imago.params import Params
from imago.sources.kinds import MIRROR_VARIABLE


@dataclass(frozen=True)
class Gap:
    """Something that an experiment lacks, and how to come by it."""

    artifact: Path
    remedy: str


def gaps(params: Params, root: Path = Path()) -> dict[str, list[Gap]]:
    """Return the gaps of each experiment that is not complete, by its name.

    These are all published files that it lacks, or else the first artifact of its own. A stage
    that failed has left none, for DVC removes those of a stage before it runs. Published files
    that were deleted after all was made are no gap.

    Args:
        params: Says what each experiment is made from.
        root: The repository.
    """

    def lacking(gaps: Iterator[Gap]) -> list[Gap]:
        return [gap for gap in gaps if not (root / gap.artifact).exists()]

    found = {}
    for name in params.experiments:
        if made := lacking(_made(params, name)):
            found[name] = lacking(_published(params, name)) or made[:1]
    return found


def explain(found: Mapping[str, Sequence[Gap]], params: Params) -> str:
    """Say which experiments are complete, what the others lack, and how to supply it."""
    complete = [name for name in params.experiments if name not in found]
    lines = [f"complete: {', '.join(complete) or 'none'}"]
    if found:
        lines.append(f"not complete: {', '.join(found)}")
    for gap in dict.fromkeys(gap for some in found.values() for gap in some):
        names = ", ".join(name for name, some in found.items() if gap in some)
        lines += ["", f"{gap.artifact}, for {names}", gap.remedy]
    if found:
        lines += [
            "",
            "`dvc repro` stops at these, and with --keep-going goes past them. To do without:",
            *(f"    imago remove {name}" for name in found),
        ]
    return "\n".join(lines)


def _published(params: Params, name: str) -> Iterator[Gap]:
    experiment = params.experiments[name]
    dataset = params.prepare[experiment.variant].dataset
    published: sections.Dataset | sections.Weights = params.datasets[dataset]
    yield Gap(paths.raw(dataset), _supply(published, f"fetch@{dataset}", f"datasets.{dataset}"))
    if experiment.features:
        weights = params.backbones[params.features[experiment.features].backbone].weights
        remedy = _supply(params.weights[weights], f"fetch_weights@{weights}", f"weights.{weights}")
        yield Gap(paths.weights(weights), remedy)


def _made(params: Params, name: str) -> Iterator[Gap]:
    """Yield what the stages make for an experiment, in their order."""
    experiment = params.experiments[name]
    dataset = params.prepare[experiment.variant].dataset
    yield Gap(paths.extracted(dataset), _again(f"extract@{dataset}"))
    yield Gap(paths.prepared(experiment.variant), _again(f"prepare@{experiment.variant}"))
    if experiment.features:
        backbone = params.features[experiment.features].backbone
        yield Gap(paths.backbone(backbone), _again(f"backbone@{backbone}"))
        yield Gap(paths.features(experiment.features), _again(f"embed@{experiment.features}"))
    yield Gap(paths.model(name), _again(f"train@{name}"))
    yield Gap(paths.metrics(name), _again(f"evaluate@{name}"))
    yield Gap(paths.export(name), _again(f"export@{name}"))
    yield Gap(paths.figures(name), _again(f"figures@{name}"))
    yield Gap(paths.page(name), _again(f"report@{name}"))


def _supply(published: sections.Dataset | sections.Weights, stage: str, key: str) -> str:
    return "\n".join(
        [
            *(f"    {name}" for name in published.files),
            "  published at",
            *(f"    {source}" for source in published.sources),
            f"  `dvc repro {stage}` says why it could not be had. To supply it, one of:",
            f"    put the files into a folder and run again with {MIRROR_VARIABLE}=<that folder>",
            f"    name the folder under {key}.sources in params.yaml: <that folder>/{{name}};",
            f"      a file of another name is named, with its sha256, under {key}.files",
            "    run `dvc pull`, if a DVC remote has it",
        ]
    )


def _again(stage: str) -> str:
    return f"  whose stage failed; `dvc repro {stage}` says why"
