"""YAML read so that no value can mean two things.

PyYAML follows YAML 1.1 and DVC YAML 1.2: of `010`, `1:00`, `yes` and `1e-3` each makes something
else, so DVC would track another value than the one that is used. Here all four are strings, which
the types of params.yaml then refuse. A key may stand only once, as in DVC, and tags are refused.
"""

import re
from pathlib import Path
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


GREATEST_BYTES = 2**20
"""Of a file. PyYAML reads some hundred thousand in a second."""
_GREATEST_DEPTH = 32
_GREATEST_KEYS = 10_000
"""Of a section, with those that merge keys bring: merged into each other they double and double."""
_GREATEST_DIGITS = 100


def text_of(path: Path) -> str:
    """Return the text of a file that a person writes.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is no file, too large, or no UTF-8.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device has no end
        message = "must be a file, got a folder, a pipe or a device"
        raise ValueError(message)
    with path.open("rb") as file:
        content = file.read(GREATEST_BYTES + 1)
    if len(content) > GREATEST_BYTES:
        message = f"must have at most {GREATEST_BYTES:,} bytes, got more"
        raise ValueError(message)
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"must be UTF-8 text, got byte 0x{error.object[error.start]:02x}"
        raise ValueError(message) from error


def read(text: str) -> Any:
    """Read one YAML document. Raises ValueError, saying line, column and what is wrong there."""
    if len(text) > GREATEST_BYTES:
        message = f"must have at most {GREATEST_BYTES:,} characters, got {len(text):,}"
        raise ValueError(message)
    if marks := re.search(r"^<{7} ", text, re.M):
        line = text.count("\n", 0, marks.start()) + 1
        message = f"line {line}: marks of a merge that has stopped; `imago resolve` goes on with it"
        raise ValueError(message)
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
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):  # `!!int 010` is 8 in YAML 1.1 and 10 in 1.2
            _refuse(f"tags are not allowed, got {tag}", event)
        self.depth += 1
        if self.depth > _GREATEST_DEPTH:
            _refuse(f"must be at most {_GREATEST_DEPTH} levels deep", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > _GREATEST_KEYS:
            message = f"a section must have at most {_GREATEST_KEYS:,} keys, with those merged"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > _GREATEST_DIGITS:
            message = f"a number must have at most {_GREATEST_DIGITS} digits"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return int(node.value)


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


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
for _tag, (_pattern, _first_letters) in _CORE.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^({_pattern})$"), _first_letters)
