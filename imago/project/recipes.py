"""Recipes: experiments to be put into params.yaml, each in a file with all that it needs there.

recipes/<experiment>.yaml: about, and the sections of params.yaml but seed and gate
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError

from imago import params
from imago.core import messages, paths, sections, strict_yaml
from imago.core.errors import ParamsError
from imago.params import Params

ABOUT = "about"


class About(sections.Section):
    """What a person wants to know before adding it."""

    summary: str
    needs: str
    """Beside the package registries."""
    download_mb: sections.Positive
    """Of data and weights, in MB of 1,000,000 bytes."""
    training_s: sections.Positive
    """Of the stage train, in seconds, on two cores without a GPU."""
    accuracy: Annotated[float, Field(ge=0, le=1)]
    """On the test images, as measured with the seed of the repository's params.yaml."""


@dataclass(frozen=True)
class Recipe:
    """One of them.

    Attributes:
        name: Of its experiment, and of its file.
        about: What it needs and what it reaches.
        settings: What it has, as it would be read from a params.yaml with nothing else.
        text: Its file.
    """

    name: str
    about: About
    settings: Params
    text: str


def names() -> list[str]:
    """Return the names of the recipes there are, sorted."""
    return sorted(path.stem for path in paths.RECIPES.glob("*.yaml"))


def read(name: str) -> Recipe:
    """Read and check a recipe.

    Raises:
        ParamsError: There is none of that name, or it breaks a rule of params.yaml.
    """
    if name not in names():
        message = f"unknown recipe {name!r}; {paths.RECIPES} has {', '.join(names()) or 'none'}"
        raise ParamsError(message)
    path = paths.RECIPES / f"{name}.yaml"
    text = path.read_text("utf-8")
    try:
        raw = strict_yaml.read(text)
    except ValueError as error:
        message = f"{path}: must be YAML: {error}"
        raise ParamsError(message) from error
    if not isinstance(raw, dict) or ABOUT not in raw:
        message = f"{path}: must have a section {ABOUT}; docs/params.md says what is in it"
        raise ParamsError(message)
    if others := sorted({"seed", "gate"} & raw.keys()):
        message = (
            f"{path}: must have no {' and no '.join(others)}, which a project has for all of its "
            "experiments; take it out"
        )
        raise ParamsError(message)
    said = raw.pop(ABOUT)
    try:
        about = About.model_validate(said)
    except ValidationError as error:
        lines = [messages.describe(fault, said, About, {}, ()) for fault in error.errors()]
        raise ParamsError("\n".join(f"{path}: {ABOUT}.{line}" for line in lines)) from error
    empty = {"seed": 0, "weights": {}, "backbones": {}, "features": {}}
    settings = params.check(empty | raw, str(path))
    if list(settings.experiments) != [name]:
        message = (
            f"{path}: experiments must hold the one experiment {name}, named as the file, got "
            f"{', '.join(settings.experiments)}"
        )
        raise ParamsError(message)
    return Recipe(name, about, settings, text)
