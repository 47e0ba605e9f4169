"""params.yaml, checked as a whole and given as typed, frozen sections."""

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from imago import backbones, datasets, models, scoring
from imago.core import messages, paths, registry, sections, strict_yaml
from imago.core.by_name import ByName, OneOf
from imago.core.errors import ParamsError
from imago.core.messages import shown
from imago.exports import formats

T = TypeVar("T")

CLASS_RECALL = "class_recall"
"""What the gate can test beside metrics: the recall of each class by itself."""
LEADING = "leading"
"""And this: accuracy, or balanced accuracy where the classes of the test split are unequal."""


def _metrics(condition: str) -> list[str]:
    """Return the names of metrics for which a property is true; found by name as all is here."""
    known = registry.load(scoring, "metric").known()
    return sorted(metric.name for metric in known if getattr(metric, condition))


AnyDataset = Annotated[sections.Dataset, ByName(datasets, "layout", "settings")]
AnyTrain = Annotated[sections.Train, ByName(models, "model")]
Net = Annotated[str, OneOf(functools.partial(registry.offers, backbones))]
Format = Annotated[str, OneOf(functools.partial(registry.names, formats))]
Floored = Annotated[str, OneOf(functools.partial(_metrics, "can_have_floor"))]
Gated = Annotated[str, OneOf(lambda: sorted([*_metrics("can_be_gated"), CLASS_RECALL, LEADING]))]
Share = Annotated[float, Field(ge=0, le=1)]


class Backbone(sections.Backbone):
    """Of a net that there is."""

    net: Net


class Export(sections.Export):
    """Of formats that there are."""

    formats: Annotated[list[Format], Field(min_length=1)]


class Experiment(sections.Section):
    """One way of training on one variant, scored and exported."""

    input: sections.Input
    """The folder under data/ from which the training learns."""
    pixels: sections.Pixels
    """The folder under data/ with the images that the finished model takes, is scored on and
    exported for: `input` itself, or what the features in `input` were made from."""
    train: AnyTrain
    export: str
    """A name in the section `exports`."""
    floors: dict[Floored, Share] | None = None
    """Under which no metric may fall; no stage reads them, `imago gate` does."""

    @property
    def variant(self) -> str:
        """The name of the variant in the section `prepare`."""
        return self.pixels.split("/")[1]

    @property
    def features(self) -> str | None:
        """The name in the section `features`, where the training learns from features."""
        kind, name = self.input.split("/")
        return name if kind == "features" else None


class GateMetric(sections.Section):
    """How a change of one metric between two revisions is tested."""

    share: Annotated[float, Field(gt=0, le=1)]
    """Of the significance level; those of all metrics add up to 1."""
    margin: Annotated[float, Field(ge=0, lt=1)]
    """A loss of no more than this is no regression."""


class Gate(sections.Section):
    """When a change of quality between two revisions is more than chance; see docs/gate.md."""

    significance_level: Annotated[float, Field(gt=0, lt=0.5)]
    """How often, at most, a regression is cried where nothing is worse."""
    bootstrap_samples: Annotated[int, Field(ge=1000, le=1_000_000)]
    metrics: Annotated[dict[Gated, GateMetric], Field(min_length=1)]

    @model_validator(mode="after")
    def _shares_make_a_whole(self) -> Self:
        total = sum(metric.share for metric in self.metrics.values())
        if not math.isclose(total, 1, abs_tol=1e-6):
            message = f"the shares of the metrics must add up to 1, got {total:g}"
            raise ValueError(message)
        return self


class Params(sections.Section):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[sections.Name, AnyDataset]
    prepare: dict[sections.Name, sections.Prepare]
    weights: dict[sections.Name, sections.Weights]
    backbones: dict[sections.Name, Backbone]
    features: dict[sections.Name, sections.Features]
    exports: dict[sections.Name, Export]
    experiments: dict[sections.Name, Experiment]
    gate: Gate | None = None

    def used_by(self, experiment: str) -> dict[str, set[str]]:
        """Return, for each section, the names of what an experiment is made from, and its own."""
        chosen = self.experiments[experiment]
        features = {chosen.features} if chosen.features else set()
        used = {self.features[name].backbone for name in features}
        return {
            "datasets": {self.prepare[chosen.variant].dataset},
            "prepare": {chosen.variant},
            "weights": {self.backbones[name].weights for name in used},
            "backbones": used,
            "features": features,
            "exports": {chosen.export},
            "experiments": {experiment},
        }


def load(path: Path = paths.PARAMS) -> Params:
    """Read and check params.yaml.

    Raises:
        ParamsError: The file is missing or breaks rules; one line for each fault, naming the key
            and the value.
    """
    try:
        text = strict_yaml.text_of(path)
    except FileNotFoundError as error:
        message = f"{path}: not found; run imago's commands in the folder that holds it"
        raise ParamsError(message) from error
    except ValueError as error:
        message = f"{path}: {error}"
        raise ParamsError(message) from error
    return parse(text, str(path))


def parse(text: str, where: str = "params.yaml") -> Params:
    """Check the text of a params.yaml; `where` begins each line of an error. Raises ParamsError."""
    try:
        raw = strict_yaml.read(text)
    except ValueError as error:
        message = f"{where}: must be YAML: {error}"
        raise ParamsError(message) from error
    return check(raw, where)


def check(raw: Any, where: str) -> Params:
    """Check what was read from YAML; `where` begins each line of an error. Raises ParamsError."""
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        keys = _known_keys()
        lines = [
            messages.describe(fault, raw, Params, sections.PATTERNS, keys)
            for fault in error.errors()
        ]
        raise ParamsError("\n".join(f"{where}: {line}" for line in lines)) from error
    if lines := list(_mismatches(params)):
        raise ParamsError("\n".join(f"{where}: {line}" for line in lines))
    return params


def pick(section: Mapping[str, T], kind: str, name: str) -> T:
    """Take `name` from a section. Raises ParamsError, listing the names that there are."""
    if name not in section:
        message = (
            f"unknown {kind} {shown(name)}; params.yaml has {', '.join(sorted(section)) or 'none'}"
        )
        raise ParamsError(message)
    return section[name]


def _mismatches(params: Params) -> Iterator[str]:
    """Faults between sections that are sound by themselves."""
    for name, variant in params.prepare.items():
        if variant.dataset not in params.datasets:
            yield (
                f"prepare.{name}.dataset must be a data set, {_listed(params.datasets)}, "
                f"got {shown(variant.dataset)}"
            )
    for name, backbone in params.backbones.items():
        if backbone.weights not in params.weights:
            yield (
                f"backbones.{name}.weights must be an entry of weights, "
                f"{_listed(params.weights)}, got {shown(backbone.weights)}"
            )
    for name, features in params.features.items():
        yield from _mismatches_of_features(params, f"features.{name}", features)
    for name, experiment in params.experiments.items():
        if name in paths.REPORT_FOLDERS:
            yield (
                f"experiments must not have the name {name}, for {paths.report(name)} is a folder "
                f"of its own; choose another"
            )
        yield from _mismatches_of_experiment(params, f"experiments.{name}", experiment)
        if experiment.export not in params.exports:
            yield (
                f"experiments.{name}.export must be an entry of exports, "
                f"{_listed(params.exports)}, got {shown(experiment.export)}"
            )


def _mismatches_of_features(params: Params, key: str, features: sections.Features) -> Iterator[str]:
    if features.variant not in params.prepare:
        known = _listed(params.prepare)
        yield f"{key}.variant must be a variant, {known}, got {shown(features.variant)}"
    elif (color := params.prepare[features.variant].color) != "rgb":
        got = f"{shown(features.variant)} with {color}"
        yield f"{key}.variant must be one with color rgb, got {got}"
    if features.backbone not in params.backbones:
        known = _listed(params.backbones)
        got = shown(features.backbone)
        yield f"{key}.backbone must be an entry of backbones, {known}, got {got}"
    elif features.variant in params.prepare:
        wanted = params.backbones[features.backbone].image_size_px
        if (size := params.prepare[features.variant].image_size_px) != wanted:
            yield (
                f"{key}.variant must be one with image_size_px {wanted}, as "
                f"backbones.{features.backbone} has, got {shown(features.variant)} with {size}"
            )


def _mismatches_of_experiment(params: Params, key: str, experiment: Experiment) -> Iterator[str]:
    if experiment.variant not in params.prepare:
        known = _listed([f"prepared/{variant}" for variant in params.prepare])
        yield f"{key}.pixels must be a variant, {known}, got {shown(experiment.pixels)}"
        return
    variant = params.prepare[experiment.variant]
    if isinstance(experiment.train, sections.TrainOnPixels):
        if experiment.input != experiment.pixels:
            yield (
                f"{key}.input must be {experiment.pixels}, as pixels, for the model "
                f"{experiment.train.model}, got {shown(experiment.input)}"
            )
    else:
        made = [
            f"features/{n}" for n, f in params.features.items() if f.variant == experiment.variant
        ]
        if experiment.input not in made:
            yield (
                f"{key}.input must be features of {experiment.pixels}, {_listed(made)}, for the "
                f"model {experiment.train.model}, got {shown(experiment.input)}"
            )
    size, color = variant.image_size_px, variant.color
    shape = (size, size, 1 if color == "grayscale" else 3)
    if fault := experiment.train.misfit(shape):
        yield f"{key}.train: {fault}, for {experiment.pixels} of {size} px"
    yield from _mismatches_of_validation(params, key, experiment)
    yield from _mismatches_of_folds(key, experiment.train)
    yield from _mismatches_of_unsure(params, key, experiment)


def _mismatches_of_unsure(params: Params, key: str, experiment: Experiment) -> Iterator[str]:
    export = params.exports.get(experiment.export)
    if export is None or export.unsure is None:
        return
    certainty, wanted = experiment.train.certainty, f"exports.{experiment.export}.unsure"
    if certainty is None:
        yield f"{key}.train.certainty must be there, for {wanted} is found by it, got none"
    elif certainty.neighbors is None and export.unsure.unlike is not None:
        yield f"{key}.train.certainty.neighbors must be there, for {wanted}.unlike, got none"


def _mismatches_of_validation(params: Params, key: str, experiment: Experiment) -> Iterator[str]:
    variant, train = params.prepare[experiment.variant], experiment.train
    dataset = params.datasets.get(variant.dataset)
    if variant.validation_fraction or dataset is None or dataset.may_hold_validation:
        return
    phases: dict[str, sections.Optimization | None] = {"train": train}
    if isinstance(train, sections.TrainOnFeatures):
        phases["train.fine_tune"] = train.fine_tune
    asking = [
        f"{name}.early_stopping" for name, one in phases.items() if one and one.early_stopping
    ]
    asking += ["train.certainty"] if train.certainty and not train.certainty.folds else []
    for name in asking:
        is_instead = name == "train.certainty" and not _hinders_folds(train)
        yield (
            f"{key}.{name} needs validation images, got {variant.validation_fraction} for "
            f"prepare.{experiment.variant}.validation_fraction"
            + ("; or set certainty.folds, such as 5" if is_instead else "")
        )


def _mismatches_of_folds(key: str, train: sections.Train) -> Iterator[str]:
    if train.certainty and train.certainty.folds and (found := _hinders_folds(train)):
        yield (
            f"{key}.train.certainty.folds must be of heads on features that learn in one phase of "
            f"so many epochs, got it with {found}; leave it out, and have validation images"
        )


def _hinders_folds(train: sections.Train) -> str | None:
    """Name what there cannot be beside certainty.folds, if anything."""
    if not isinstance(train, sections.TrainOnFeatures):
        return f"the model {train.model}"
    if train.fine_tune:
        return "fine_tune"
    return "early_stopping" if train.early_stopping else None


def _known_keys() -> set[str]:
    def with_subclasses(section: type[sections.Section]) -> Iterator[type[sections.Section]]:
        yield section
        for subclass in section.__subclasses__():
            yield from with_subclasses(subclass)

    known = with_subclasses(sections.Section)
    return {key for section in known for key in section.model_fields}


def _listed(names: Iterable[str]) -> str:
    return f"one of {', '.join(sorted(names))}" if names else "there is none"
