"""What params.yaml names: checks of names against what there is to be found by its name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from imago.core import registry
from imago.core.errors import ExtensionError
from imago.core.sections import Section


@dataclass(frozen=True)
class OneOf:
    """Says that a text must be one of the names that entries of a package stand for.

    Attributes:
        names: Returns them; called once, when the section is defined.
    """

    names: Callable[[], Iterable[str]]

    def __get_pydantic_core_schema__(self, *_: Any) -> CoreSchema:
        """Build a choice between the names."""
        return core_schema.literal_schema(list(self.names()))


@dataclass(frozen=True)
class ByName:
    """Says that the value of `key` is the name of an entry whose `Settings` check the section.

    So a new layout or architecture is one new entry of a package and no line elsewhere.

    Attributes:
        package: Holds the entries.
        key: Of the section, whose value is the name of one.
        module: In which an entry that is a package has its `Settings`.
    """

    package: ModuleType
    key: str
    module: str | None = None

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Build a union of the `Settings` of every entry."""
        modules = {
            name: registry.load(
                self.package, f"{name}.{self.module}" if self.module else name, "Settings"
            )
            for name in registry.names(self.package)
        }
        for module in modules.values():
            _check_settings(module)
        return core_schema.tagged_union_schema(
            {name: handler.generate_schema(module.Settings) for name, module in modules.items()},
            discriminator=self.key,
        )


def _check_settings(module: ModuleType) -> None:
    settings = module.Settings
    if not (isinstance(settings, type) and issubclass(settings, Section)):
        message = (
            f"{registry.file(module)}: Settings must be a class derived from a section of "
            f"imago.core.sections, got {settings!r}; see docs/extending.md"
        )
        raise ExtensionError(message)
