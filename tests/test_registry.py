"""Entries of packages that are found by their names, and those that somebody left half done."""

import sys
from types import ModuleType

import pytest

from imago import backbones, datasets, models
from imago.core import by_name, registry
from imago.core.errors import ExtensionError
from imago.core.sections import Section


def module(monkeypatch, name: str, **parts: object) -> ModuleType:
    """Put a module where an import finds it."""
    made = ModuleType(name)
    vars(made).update(parts)
    monkeypatch.setitem(sys.modules, name, made)
    return made


def test_an_entry_that_lacks_a_part_is_named(monkeypatch):
    module(monkeypatch, "imago.models.mine", Settings=Section)
    message = r"^imago/models/mine\.py: must have Settings, build, got no build; docs/extending\.md"
    with pytest.raises(ExtensionError, match=message):
        registry.load(models, "mine", "Settings", "build")


def test_so_is_a_module_of_an_entry(monkeypatch):
    monkeypatch.setitem(sys.modules, "imago.datasets.mine", ModuleType("imago.datasets.mine"))
    module(monkeypatch, "imago.datasets.mine.layout", extracts=print)
    with pytest.raises(ExtensionError, match=r"mine/layout\.py: must have extract, got no extract"):
        registry.load(datasets, "mine.layout", "extract")


@pytest.mark.parametrize("settings", [object, {"layout": "mine"}], ids=repr)
def test_settings_are_a_section(monkeypatch, settings):
    module(monkeypatch, "imago.models.mine", Settings=settings, build=print)
    monkeypatch.setattr(registry, "names", lambda _: ["mine"])
    message = r"models/mine\.py: Settings must be a class derived from a section .*, got "
    with pytest.raises(ExtensionError, match=message):
        by_name.ByName(models, "model").__get_pydantic_core_schema__(None, lambda _: None)


def test_what_two_entries_offer_is_refused(monkeypatch):
    module(monkeypatch, "imago.backbones.mine", NAMES=("ResNet50",))
    monkeypatch.setattr(registry, "names", lambda _: ["resnet", "mine"])
    message = (
        r"^imago/backbones/mine\.py: must offer names of its own, got ResNet50, which resnet\.py "
    )
    with pytest.raises(ExtensionError, match=message):
        registry.offers(backbones)
