"""Entries of a YAML file as text: put in, taken out, renamed, with no other line changed.

New text is as DVC writes it, so that a file which DVC's own writer leaves as it is stays one: then
`dvc exp run -S` changes one line, and not the layout of the whole file. An entry is a key of a
section with its value, and the comments right above it.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml
from dvc.utils.serialize import dumps_yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from imago.core import strict_yaml

INDENT = 2


def entries(text: str) -> dict[str, dict[str, str]]:
    """Return the text of each entry of each section, without the indentation that it has there."""
    file, found = _File(text), {}
    for section, value in file.pairs(file.root):
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            found[section.value] = {
                key.value: textwrap.dedent(file.part(*file.lines_of(key, node)))
                for key, node in file.pairs(value)
            }
    return found


def block(name: str, content: Any, column: int = 0) -> str:
    """Write an entry as DVC does, with a long word in a line of its own.

    DVC's writer breaks the line there by itself, and leaves a space before the break, which many an
    editor takes away; a literal block it leaves as it is.

    Args:
        name: The key.
        content: The value.
        column: Where it will stand; how far from there a line may go depends on it.
    """
    written = _written(name, content, column)
    if isinstance(content, CommentedMap) and content.fa.flow_style() and written.count("\n") > 1:
        content.fa.set_block_style()  # for it is too long for a line
        written = _written(name, content, column)
    return re.sub(r": \n( +\S+)$", r": |-\n\1", written, flags=re.M)


def _written(name: str, content: Any, column: int) -> str:
    nested, depth = {name: content}, column // INDENT
    for _ in range(depth):
        nested = {"k": nested}
    return textwrap.dedent(dumps_yaml(nested).split("\n", depth)[-1])


def insert(text: str, section: str, entry: str) -> str:
    """Put the text of an entry behind the last one of a section, which may be empty.

    Raises:
        ValueError: There is no such section, or its entries stand in braces.
    """
    file = _File(text)
    key, value = file.find(section)
    if not value.value:  # as in `section: {}`, or with nothing behind the colon
        file = _File(text[: key.end_mark.index] + ":" + text[value.end_mark.index :])
        line = key.start_mark.line + 1
        return file.with_lines(line, line, entry, key.start_mark.column + INDENT)
    if not isinstance(value, yaml.MappingNode) or value.flow_style:
        message = f"{section} must have each entry in a line of its own, got {{ }}; rewrite it"
        raise ValueError(message)
    places = [file.lines_of(*pair) for pair in file.pairs(value)]
    is_spaced = (
        places[-1].first > places[-2].end
        if len(places) > 1
        else any(len(one.strip().splitlines()) > 1 for one in (entry, file.part(*places[-1])))
    )
    indent = value.value[0][0].start_mark.column
    return file.with_lines(places[-1].end, places[-1].end, entry, indent, is_spaced=is_spaced)


def remove(text: str, *keys: str) -> str:
    """Take out what nested keys lead to; a section that holds nothing else becomes `{}`."""
    file = _File(text)
    key, value = file.find(*keys)
    outer_key, outer = file.find(*keys[:-1])
    if isinstance(outer, yaml.MappingNode) and outer.flow_style:
        left = strict_yaml.read(file.text_of(outer))
        del left[keys[-1]]
        return file.with_node(outer, _in_braces(left))
    first, end = file.lines_of(key, value)
    if len(outer.value) == 1:
        line = outer_key.start_mark.line
        file.lines[line] = file.lines[line].replace(":", ": {}", 1)
    elif not file.lines[first - 1].strip():
        first -= 1
    elif end < len(file.lines) and not file.lines[end].strip():
        end += 1
    return file.part(0, first) + file.part(end, len(file.lines))


def rename(text: str, section: str, old: str, new: str) -> str:
    """Give an entry another name."""
    file = _File(text)
    key, _ = file.find(section, old)
    return file.with_node(key, block(new, 0).removesuffix(": 0\n"))


def put(text: str, keys: Sequence[str], value: Any) -> str:
    """Set the value that nested keys lead to; sections that are not there yet are added.

    Raises:
        ValueError: One of the keys stands for a value and not for a section.
    """
    file = _File(text)
    *outer, last = keys
    try:
        _, section = file.find(*outer)
    except ValueError:
        return put(text, outer, {last: value})
    if not isinstance(section, yaml.MappingNode):
        message = f"{'.'.join(outer)} must be a section of keys and values, got {section.value!r}"
        raise ValueError(message)
    if section.flow_style:
        known = strict_yaml.read(file.text_of(section))
        return file.with_node(section, _in_braces({**known, last: value}))
    if last not in [key.value for key, _ in file.pairs(section)]:
        end = file.lines_of(*list(file.pairs(section))[-1]).end
        column = section.value[0][0].start_mark.column
        return file.with_lines(end, end, block(last, value, column), column)
    key, node = file.find(*keys)
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        return file.with_node(node, _in_braces(value))
    is_in_line = isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">")
    if is_in_line and not isinstance(value, dict | list):
        return file.with_value(key, node, block("k", value).removeprefix("k:").rstrip())
    first, end = key.start_mark.line, file.lines_of(key, node).end
    column = key.start_mark.column
    return file.with_lines(first, end, block(last, value, column), column)


def _in_braces(value: Any) -> str:
    """Write a section or a list in one line; what is neither, as it is."""
    if isinstance(value, Mapping):
        value = CommentedMap(value)
        value.fa.set_flow_style()
    elif isinstance(value, list):
        value = CommentedSeq(value)
        value.fa.set_flow_style()
    return re.sub(r" *\n *", " ", dumps_yaml({"k": value}).removeprefix("k:").strip())


class _Lines(NamedTuple):
    """The first, and that behind the last."""

    first: int
    end: int


class _File:
    """A YAML text, with the place of each node in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.lines = text.splitlines(keepends=True)
        self._newline = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
        self.root: yaml.Node = yaml.compose(text, Loader=yaml.SafeLoader) or yaml.MappingNode(
            "", []
        )

    def find(self, *keys: str) -> tuple[yaml.Node, yaml.Node]:
        """Return the key and the value that nested keys lead to. Raises ValueError."""
        key = node = self.root
        for wanted in keys:
            found = [pair for pair in self.pairs(node) if pair[0].value == wanted]
            if not found:
                message = f"{'.'.join(keys)} is missing"
                raise ValueError(message)
            key, node = found[0]
        return key, node

    def pairs(self, node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Yield the keys of a section with their values."""
        if isinstance(node, yaml.MappingNode):
            yield from node.value

    def lines_of(self, key: yaml.Node, value: yaml.Node) -> _Lines:
        """Return where an entry stands, from the comments above it on."""
        column, first = key.start_mark.column, key.start_mark.line
        while first and self.lines[first - 1].startswith(" " * column + "#"):
            first -= 1
        return _Lines(first, self._last(value) + 1)

    def _last(self, node: yaml.Node) -> int:
        """Find the last line of a value: PyYAML ends one in a block below the comments after it."""
        if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
            last = node.value[-1]
            return self._last(last[1] if isinstance(last, tuple) else last)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            line = node.start_mark.line
            indent = _indent(self.lines[line + 1])
            while line + 1 < len(self.lines) and _indent(self.lines[line + 1]) >= indent:
                line += 1
            return line
        return int(node.end_mark.line)

    def part(self, first: int, end: int) -> str:
        """Return some lines."""
        return "".join(self.lines[first:end])

    def text_of(self, node: yaml.Node) -> str:
        """Return the text of a node."""
        return self._text[node.start_mark.index : node.end_mark.index]

    def with_node(self, node: yaml.Node, written: str) -> str:
        """Return the whole, with this text in place of a node's."""
        return self._text[: node.start_mark.index] + written + self._text[node.end_mark.index :]

    def with_value(self, key: yaml.Node, node: yaml.Node, written: str) -> str:
        """Return the whole, with this text, and the space before it, behind the colon of a key."""
        before, behind = self._text[: key.end_mark.index], self._text[node.end_mark.index :]
        return f"{before}:{written}{behind}"

    def with_lines(
        self, first: int, end: int, written: str, column: int, *, is_spaced: bool = False
    ) -> str:
        """Return the whole, with this text, indented, in place of some lines."""
        unix = written.replace("\r\n", "\n").rstrip("\n") + "\n"
        new = textwrap.indent(unix, " " * column)
        if is_spaced:
            new = "\n" + new
        before = self.part(0, first)
        if before and not before.endswith("\n"):
            before += self._newline
        return before + new.replace("\n", self._newline) + self.part(end, len(self.lines))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
