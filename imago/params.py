"""params.yaml, checked as a whole and given as typed, frozen sections."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, core_schema

from imago import datasets, models, paths, schema
from imago.errors import ParamsError

T = TypeVar("T")


@dataclass(frozen=True)
class ByName:
    """Says that the value of `key` is the name of a module whose `Settings` check the section.

    So a new layout or architecture is one new module and no line elsewhere.
    """

    package: ModuleType
    key: str

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Build a union of the `Settings` of every module in the package."""
        names = [module.name for module in pkgutil.iter_modules(self.package.__path__)]
        modules = {
            name: importlib.import_module(f"{self.package.__name__}.{name}") for name in names
        }
        return core_schema.tagged_union_schema(
            {name: handler.generate_schema(module.Settings) for name, module in modules.items()},
            discriminator=self.key,
        )


class Experiment(schema.Section):
    """One way of training on one variant, scored and exported."""

    input: Annotated[str, Field(pattern=r"^prepared/[^/]+$")]
    """The folder under data/ that holds the splits."""
    train: Annotated[schema.Train, ByName(models, "model")]
    evaluate: schema.Evaluate
    export: schema.Export

    @property
    def variant(self) -> str:
        """The name of the variant in the section `prepare`."""
        return self.input.split("/")[1]


class Params(schema.Section):
    """The whole of params.yaml."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[schema.Name, Annotated[schema.Dataset, ByName(datasets, "layout")]]
    prepare: dict[schema.Name, schema.Prepare]
    experiments: dict[schema.Name, Experiment]


def load(path: Path = paths.PARAMS) -> Params:
    """Read and check params.yaml.

    Raises:
        ParamsError: The file is missing or breaks rules; one line for each fault, naming the key
            and the value.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        message = f"{path}: not found; run imago's commands in the folder that holds it"
        raise ParamsError(message) from error
    return parse(text, str(path))


def parse(text: str, where: str = "params.yaml") -> Params:
    """Check the text of a params.yaml; `where` begins each line of an error. Raises ParamsError."""
    try:
        raw = yaml.load(text, Loader=_UniqueKeys)
    except yaml.YAMLError as error:
        message = f"{where}: must be YAML: {' '.join(str(error).split())}"
        raise ParamsError(message) from error
    try:
        params = Params.model_validate(raw)
    except ValidationError as error:
        faults = [_describe(fault, raw) for fault in error.errors()]
        raise ParamsError("\n".join(f"{where}: {fault}" for fault in faults)) from error
    if faults := list(_mismatches(params)):
        raise ParamsError("\n".join(f"{where}: {fault}" for fault in faults))
    return params


def pick(section: Mapping[str, T], kind: str, name: str) -> T:
    """Take `name` from a section. Raises ParamsError, listing the names that there are."""
    if name not in section:
        message = f"unknown {kind} {name!r}; params.yaml has {_listed(section)}"
        raise ParamsError(message)
    return section[name]


class _UniqueKeys(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys in silence; DVC refuses the file, and so do we."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                message = f"the key {key!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep)


def _mismatches(params: Params) -> Iterator[str]:
    """Faults between sections that are sound by themselves."""
    for name, variant in params.prepare.items():
        if variant.dataset not in params.datasets:
            yield (
                f"prepare.{name}.dataset must be a data set, {_listed(params.datasets)}, "
                f"got {variant.dataset!r}"
            )
    for name, experiment in params.experiments.items():
        if experiment.variant not in params.prepare:
            known = _listed(f"prepared/{variant}" for variant in params.prepare)
            yield f"experiments.{name}.input must be a variant, {known}, got {experiment.input!r}"
            continue
        fraction = params.prepare[experiment.variant].validation_fraction
        if experiment.train.early_stopping and not fraction:
            yield (
                f"experiments.{name}.train.early_stopping needs validation images, got "
                f"{fraction} for prepare.{experiment.variant}.validation_fraction"
            )


def _describe(fault: ErrorDetails, raw: Any) -> str:
    """Say a pydantic error as one line: key, rule, value, remedy."""
    key = ".".join(_location(fault, raw)) or "the file"
    value = fault["input"]
    match fault["type"]:
        case "missing":
            return f"{key} is missing"
        case "extra_forbidden":
            close = difflib.get_close_matches(str(fault["loc"][-1]), _known_keys(), n=1)
            advice = f"; did you mean {close[0]}?" if close else ""
            return f"{key} is an unknown key, got {value!r}{advice}"
        case "union_tag_not_found":
            return f"{key}.{fault['ctx']['discriminator'].strip(chr(39))} is missing"
        case "union_tag_invalid":
            tag, known = fault["ctx"]["discriminator"].strip("'"), fault["ctx"]["expected_tags"]
            return f"{key}.{tag} must be one of {known}, got {fault['ctx']['tag']!r}"
        case "value_error":
            return f"{key}: {fault['msg'].removeprefix('Value error, ')}"
    rule = fault["msg"].replace("Input should", "must").replace("String should", "must")
    advice = (
        "; write numbers without quotes or exponent, as 0.001"
        if isinstance(value, str) and _is_number(value)
        else ""
    )
    return f"{key} {rule[0].lower()}{rule[1:]}, got {value!r}{advice}"


def _location(fault: ErrorDetails, raw: Any) -> Iterator[str]:
    """Yield the keys of params.yaml that lead to the fault, without what pydantic adds."""
    here = raw
    for depth, part in enumerate(fault["loc"], 1):
        if part in _keys(here):
            here = here[part]
        elif not (fault["type"] == "missing" and depth == len(fault["loc"])):
            continue
        yield str(part)


def _keys(section: Any) -> Iterable[Any]:
    if isinstance(section, Mapping):
        return section.keys()
    return range(len(section)) if isinstance(section, list) else ()


def _known_keys() -> set[str]:
    def sections(section: type[schema.Section]) -> Iterator[type[schema.Section]]:
        yield section
        for subsection in section.__subclasses__():
            yield from sections(subsection)

    return {key for section in sections(schema.Section) for key in section.model_fields}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
