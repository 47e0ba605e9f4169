"""How the templates of pages are filled in."""

from typing import Any

import jinja2
from markupsafe import Markup

from imago.reports import numbers


def page(template: str, **values: Any) -> str:
    """Fill in a template; texts are escaped, and a value that is missing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("imago.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"as": numbers.text, "measured": _measured, "tied": _tied}
    return environment.get_template(template).render(values)


def _measured(value: float | None, kind: numbers.Kind) -> Markup:
    """Write a number for people, and beside it in full for programs."""
    if value is None:
        return Markup("–")
    return Markup('<data value="{}">{}</data>').format(repr(value), numbers.text(value, kind))


def _tied(text: str) -> str:
    """Keep a number and its % in one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
