"""The entries of a new experiment: a copy of another's, changed where it is another task or net."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dvc.utils.serialize import parse_yaml_for_update
from ruamel.yaml.comments import CommentedMap

from imago.core.errors import ParamsError
from imago.datasets.image_folder.arrangement import Arrangement
from imago.params import Params
from imago.project import defaults, nets, recipes, yaml_text
from imago.project.defaults import Choice
from imago.project.nets import Entry
from imago.project.pins import LAYOUT, Pinned

LICENCE = "of your own"
TEST_FRACTION = 0.2
"""Of the photos of what has no test folder."""
EXTRACT = {"greatest_unreadable_fraction": 0.1, "greatest_megapixels": 50}
"""Where the copied experiment is not on photos. Like LICENCE and TEST_FRACTION, to be changed in
params.yaml."""


@dataclass(frozen=True)
class Model:
    """The experiment whose entries are copied, and the text of the file that has them."""

    name: str
    settings: Params
    text: str

    @property
    def features(self) -> str:
        """The name of what the experiment learns from. Raises ParamsError: it has no net."""
        found = self.settings.experiments[self.name].features
        if found is None:
            message = f"--backbone is for experiments on features of a net, and {self.name} is not"
            raise ParamsError(message)
        return found

    def copied(self, section: str, entry: str) -> Any:
        """Return what an entry says, with its comments, to be changed and written anew."""
        block = yaml_text.entries(self.text).get(section, {}).get(entry)
        if block is None:
            message = f"{section} must have each entry in lines of its own, got {{ }}; rewrite it"
            raise ParamsError(message)
        return parse_yaml_for_update(block, "")[entry]


def find(like: str | None, there: Params, text: str) -> Model:
    """Find the experiment or recipe that is copied. Raises ParamsError: there is none.

    Args:
        like: Its name; None: the recipe that values are put into.
        there: What params.yaml has.
        text: Of params.yaml.
    """
    if like is None:
        found = recipes.read(defaults.RECIPE)
        return Model(defaults.RECIPE, found.settings, found.text)
    if like in there.experiments:
        return Model(like, there, text)
    if like in recipes.names():
        found = recipes.read(like)
        return Model(like, found.settings, found.text)
    known = ", ".join(sorted({*there.experiments, *recipes.names()}))
    message = f"unknown experiment or recipe {like!r}; there are {known or 'none'}"
    raise ParamsError(message)


def of_photos(
    model: Model,
    name: str,
    pinned: Pinned,
    found: Arrangement,
    choices: Sequence[Choice],
    net: str | None,
) -> dict[str, Entry]:
    """Return for each section the new entry of an experiment on photos of one's own."""
    old = model.settings.experiments[model.name]
    prepare = model.copied("prepare", old.variant)
    from_layout = model.settings.datasets[prepare["dataset"]].layout
    extract = (
        model.copied("datasets", prepare["dataset"])["extract"]
        if from_layout == LAYOUT
        else dict(EXTRACT)
    )
    prepare["dataset"] = name
    prepare.pop("limit_per_class", None)
    # Photos that belong together know each other in extract alone, so all is drawn there.
    copied_fraction = prepare["validation_fraction"] or extract.get("validation_fraction", 0.0)
    validation_fraction = 0.0 if found.classes("validation") else copied_fraction
    prepare["validation_fraction"] = 0.0
    _put(choices, "prepare", prepare)
    variant = f"{name}{prepare['image_size_px']}"
    for choice in choices:
        if choice[:2] == ("extract", "validation_fraction") and isinstance(choice.value, float):
            validation_fraction = choice.value
    dataset = _dataset(pinned, found, extract, validation_fraction)
    _put(choices, "extract", dataset["extract"])
    entries: dict[str, Entry] = {"datasets": (name, dataset), "prepare": (variant, prepare)}
    experiment = model.copied("experiments", model.name)
    experiment["input"] = experiment["pixels"] = f"prepared/{variant}"
    experiment.pop("floors", None)  # of another task
    _put(choices, "train", experiment["train"])
    if old.features or net:
        wanted = of_net(model, net, prepare["image_size_px"])
        features = model.copied("features", model.features)
        features["variant"], features["backbone"] = variant, wanted["backbones"][0]
        end = wanted["weights"][0] if net else model.features.removeprefix(old.variant).lstrip("_")
        experiment["input"] = f"features/{variant}_{end}"
        entries |= {**wanted, "features": (f"{variant}_{end}", features)}
    export = model.copied("exports", old.export)
    _put(choices, "exports", export)
    is_chosen = any(choice.place == "exports" for choice in choices)
    experiment["export"] = f"{old.export}_unsure" if is_chosen else old.export
    entries["exports"] = (experiment["export"], export)
    return entries | {"experiments": (name, experiment)}


def on_backbone(model: Model, net: str, name: str | None) -> dict[str, Entry]:
    """Return the entries of an experiment on the same photos, by the features of another net.

    Args:
        model: The experiment that is copied, without its floors, which another net may not reach.
        net: Of imago.backbones.
        name: Of the new one; None: that of the other with the weights' behind it.
    """
    variant = model.settings.experiments[model.name].variant
    wanted = of_net(model, net, model.settings.prepare[variant].image_size_px)
    (backbone, _), (weights, _) = wanted["backbones"], wanted["weights"]
    features = {"variant": variant, "backbone": backbone}
    experiment = model.copied("experiments", model.name)
    experiment["input"] = f"features/{variant}_{weights}"
    experiment.pop("floors", None)
    return {
        **wanted,
        "features": (f"{variant}_{weights}", features),
        "experiments": (name or f"{model.name}_{weights}", experiment),
    }


def of_net(model: Model, net: str | None, image_size_px: int) -> dict[str, Entry]:
    """Return the entries of weights and of a backbone: of the copied experiment's net or another.

    Raises:
        ParamsError: The experiment has no net, or there is no such other.
    """
    backbone = model.settings.features[model.features].backbone
    settings = model.copied("backbones", backbone)
    if net:
        return nets.entries(net, image_size_px, settings["pooling"])
    if settings["image_size_px"] != image_size_px:
        backbone = f"{settings['weights']}_{image_size_px}"
        settings["image_size_px"] = image_size_px
    weights = settings["weights"]
    return {
        "weights": (weights, model.copied("weights", weights)),
        "backbones": (backbone, settings),
    }


def _dataset(
    pinned: Pinned, found: Arrangement, extract: dict[str, Any], validation_fraction: float
) -> dict[str, Any]:
    for key in ("test_fraction", "validation_fraction", "keep_together", "allow_leaks"):
        extract.pop(key, None)
    drawn = {} if found.classes("test") else {"test_fraction": TEST_FRACTION}
    if validation_fraction:
        drawn["validation_fraction"] = validation_fraction
    extract = CommentedMap({**drawn, **({"keep_together": True} if drawn else {}), **extract})
    return {
        "layout": LAYOUT,
        "licence": LICENCE,
        "files": pinned.files,
        "sources": pinned.sources,
        "extract": extract,
    }


def _put(choices: Sequence[Choice], place: defaults.Place, section: CommentedMap) -> None:
    """Set the values of a section that were chosen, each with its reason beside it."""
    for choice in choices:
        if choice.place == place:
            section[choice.key] = _written(choice.value)
            section.yaml_add_eol_comment(choice.reason, choice.key, column=0)


def _written(value: Any) -> Any:
    """Return a section in braces, as DVC leaves it."""
    if not isinstance(value, Mapping):
        return value
    found = CommentedMap(value)
    found.fa.set_flow_style()
    return found
