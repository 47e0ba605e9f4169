"""How the templates of pages are filled in."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from imago.reports import numbers

SECTIONS = "sections/"
"""The templates of the sections of an experiment's page, by their names."""


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes:
        name: Of its template; leads to it.
        title: In the list of sections.
        heading: Above it.
        place: By which the sections are put in order.
        body: What it holds.
    """

    name: str
    title: str
    heading: str
    place: int
    body: Markup


def page(template: str, **values: Any) -> str:
    """Fill in a template; texts are escaped, and a value that is missing is an error."""
    return environment().get_template(template).render(values)


def section_names() -> list[str]:
    """Return the names of the sections that an experiment's page has, sorted."""
    paths = environment().list_templates(filter_func=lambda path: path.startswith(SECTIONS))
    return [path.removeprefix(SECTIONS).removesuffix(".html") for path in paths]


def section(name: str, **values: Any) -> Section:
    """Fill in a section; its template sets `title` and `place`, and `heading` if it differs."""
    filled: Any = environment().get_template(f"{SECTIONS}{name}.html").make_module(values)
    heading = getattr(filled, "heading", filled.title)
    return Section(name, filled.title, heading, filled.place, Markup(filled))


@functools.cache
def environment() -> jinja2.Environment:
    """Return what finds templates and fills them in."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("imago.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"as": numbers.text, "measured": _measured, "tied": _tied, "yaml": _yaml}
    return made


def _measured(value: float | None, kind: numbers.Kind) -> Markup:
    """Write a number for people, and beside it in full for programs."""
    if value is None:
        return Markup("–")
    return Markup('<data value="{}">{}</data>').format(repr(value), numbers.text(value, kind))


def _tied(text: str) -> str:
    """Keep a number and its % in one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


class _Dumper(yaml.SafeDumper):
    """Writes lists in one line, as params.yaml does."""


_Dumper.add_representer(
    list,
    lambda dumper, items: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", items, flow_style=True
    ),
)


def _yaml(section: Mapping[str, Any]) -> str:
    """Write a section of params.yaml as it stands there."""
    return yaml.dump(
        dict(section), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf
    )
