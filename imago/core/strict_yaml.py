"""YAML read so that no value can mean two things.

PyYAML follows YAML 1.1 and DVC YAML 1.2: of `010`, `1:00`, `yes` and `1e-3` each makes something
else, so DVC would track another value than the one that is used. Here all four are strings, which
the types of params.yaml then refuse. A key may stand only once, as in DVC, and tags are refused.
"""

import re
from typing import Any, NoReturn

import yaml

_CORE = {
    "tag:yaml.org,2002:null": (r"null|~|", ["n", "~", ""]),
    "tag:yaml.org,2002:bool": (r"true|false", list("tf")),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        # The last form is how Python, and so `dvc exp run -S`, writes 0.00005: 5e-05.
        r"[-+]?(0|[1-9][0-9]*)\.[0-9]*|[-+]?\.(inf|nan)|[-+]?[0-9](\.[0-9]+)?e[-+][0-9]{2,3}",
        list("-+0123456789."),
    ),
    "tag:yaml.org,2002:merge": (r"<<", ["<"]),
}


def read(text: str) -> Any:
    """Read one YAML document. Raises ValueError, saying line, column and what is wrong there."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        message = f"{where}{error.problem}"
        raise ValueError(message) from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name and shape

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):  # `!!int 010` is 8 in YAML 1.1 and 10 in 1.2
            _refuse(f"tags are not allowed, got {tag}", event)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        return node


def _check_keys(section: yaml.MappingNode) -> None:
    """Look at the keys as they are written, before merge keys add theirs."""
    seen = set()
    for key, _ in section.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse("a key must be text, not a list or a section", key)
        if key.value in seen:
            _refuse(f"the key {key.value!r} stands twice", key)
        seen.add(key.value)


def _refuse(message: str, place: Any) -> NoReturn:
    """Raise an error that points to `place`, an event or a node."""
    raise yaml.composer.ComposerError(None, None, message, place.start_mark)


for _tag, (_pattern, _first_letters) in _CORE.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^({_pattern})$"), _first_letters)
