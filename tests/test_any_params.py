"""Whatever stands in params.yaml: it is taken, or refused in one line for each fault, in time."""

import itertools
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.serialize import parse_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imago import params
from imago.core import sections, strict_yaml
from imago.core.errors import ImagoError, ParamsError
from tests import faults
from tests.params_text import TEXT

pytestmark = pytest.mark.fault

bounded = settings(
    max_examples=faults.times(100, 5_000),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SOUND = strict_yaml.read(TEXT)


def outcome(text: str) -> params.Params | None:
    """Return the params that a text makes, or None where it is refused in bearable lines."""
    try:
        return params.parse(text)
    except ImagoError as error:
        said = str(error)
    assert all(line.startswith("params.yaml: ") and len(line) < 2000 for line in said.split("\n"))
    assert said.encode()  # no half characters
    return None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths to all that stands in a section."""
    found = [path]
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            found += places(inner, (*path, key))
    return found


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy in which what stands at a path is another."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.integers(-2, 2000),
    st.floats(allow_nan=True),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 1e308, 1e-308, 5e-324]),
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["\0", "\ud800", "${seed}", "../x", "-", "010", "1e3", "null", "a" * 5000]),
)
SIGNS = "ab:-[]{}&*<>!|'\"\\ \n\t#0123.,?%@`~\0é\ud800"
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(texts | st.integers(), inner, max_size=4)
    ),
    max_leaves=8,
)


@bounded
@given(
    st.text(alphabet=st.sampled_from("ab:-[]{}&*<>!|'\"\\ \n\t#0123.,?%@`~\0é\ud800"), max_size=60)
)
def test_any_text(text: str) -> None:
    outcome(text)


@pytest.mark.parametrize("path", places(SOUND), ids=lambda path: ".".join(map(str, path)) or "all")
def test_a_long_text_anywhere(path: tuple[Any, ...]) -> None:
    outcome(yaml.safe_dump(put(SOUND, path, "a" * 5000)))


@bounded
@given(st.sampled_from(places(SOUND)), values)
def test_any_value_anywhere(path: tuple[Any, ...], value: Any) -> None:
    outcome(yaml.safe_dump(put(SOUND, path, value), allow_unicode=False))


@settings(bounded, max_examples=faults.times(50, 2_000))
@given(st.text(min_size=1, max_size=12) | st.from_regex(r"\A[0-9a-z][\w-]{0,9}\Z"))
def test_dvc_knows_each_accepted_name_by_itself(name: str) -> None:
    changed = SOUND | {"prepare": SOUND["prepare"] | {name: SOUND["prepare"]["whole"]}}
    for quote in ("", "'"):
        section = yaml.safe_dump(changed).replace("whole:", f"{quote}{name}{quote}:")
        found = outcome(section)
        if found:
            read_by_dvc = parse_yaml(section, "params.yaml")["prepare"]
            assert set(found.prepare) == set(read_by_dvc)
            assert not any("${" in key or "." in key or "/" in key for key in read_by_dvc)


@pytest.mark.parametrize(
    "name", ["010", "1e3", "0x10", "0b1", "1_000", "2026-01-31", "True", "null"]
)
def test_a_name_that_dvc_reads_otherwise(name: str) -> None:
    text = TEXT.replace("  whole:", f"  '{name}':")
    with pytest.raises(ParamsError, match="a name must not look like a number, a date or a word"):
        params.parse(text)


def chained(first: str, link: str) -> str:
    """Nine levels, of which each names the one before nine times."""
    lines = [f"a: &a {first}"]
    for before, name in itertools.pairwise("abcdefghi"):
        many = ", ".join([f"*{before}"] * 9)
        lines.append(f"{name}: &{name} {link % many}")
    return "\n".join(lines)


BOMBS = {
    "lists in lists": "[" * 5000,
    "sections in sections": "{a: " * 5000,
    "lists line by line": "- " * 5000,
    "sections line by line": "\n".join(" " * n + "a:" for n in range(1000)),
    "aliases of aliases": chained("[x, x]", "[%s]"),
    "merged and merged": chained("{x: 1}", "{<<: [%s]}"),
    "itself": "&a {seed: *a}",
    "a list in itself": "seed: &a [*a]",
    "merged with itself": "&a {<<: *a}",
    "number of 5,000 digits": "seed: " + "9" * 5000,
    "number of 100,000 digits": "seed: " + "9" * 100_000,
    "fraction of 5,000 digits": "seed: 0." + "9" * 5000,
    "two million letters": "seed: " + "a" * 2_000_000,
    "a long key": f"{'k' * 1000}: 1",
    "many documents": "--- 1\n" * 100,
    "zero in a name": '"a\\0b": 1',
    "half a character": '"\\ud800": "\\udc00"',
    "half a character as a value": TEXT.replace("licence: MIT", 'licence: "\\ud800"'),
    "zero in a class": TEXT.replace("[cat, dog]", '[cat, "d\\0g"]'),
    "line in a licence": TEXT.replace("licence: MIT", 'licence: "a\\nb"'),
    "zero in a source": TEXT.replace("[pip:pets==1.0]", '["a\\0b"]'),
    "a tag": "seed: !!python/object:os.system x",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name: str) -> None:
    tracemalloc.start()
    try:
        assert outcome(BOMBS[name]) is None
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("folder", "must be a file, got a folder, a pipe or a device"),
        ("pipe", "must be a file, got a folder, a pipe or a device"),
        ("device", "must be a file, got a folder, a pipe or a device"),
        ("a gigabyte", "must have at most 1,048,576 bytes, got more"),
        ("no UTF-8", "must be UTF-8 text, got byte 0xff"),
        ("UTF-16", "must be UTF-8 text, got byte 0xff"),
        ("zeros", "must be YAML: "),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "a gigabyte":
            with path.open("wb") as file:
                file.truncate(2**30)
        case "no UTF-8":
            path.write_bytes(b"seed: \xff")
        case "UTF-16":
            path.write_bytes("seed: 1".encode("utf-16"))
        case "zeros":
            path.write_bytes(bytes(100))
    with pytest.raises(ParamsError) as caught:
        params.load(path)
    (line,) = str(caught.value).split("\n")
    assert line.startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("image_size_px: 4,", "image_size_px: 100000,"),
        ("image_size_px: 32,", "image_size_px: 1025,"),
        ("hidden_units: [3, 5]", "hidden_units: [16384, 16384, 16384]"),
        ("hidden_units: [3, 5]", f"hidden_units: [{', '.join(['5'] * 65)}]"),
        ("hidden_units: [3, 5]", "hidden_units: [10000000]"),
        ("epochs: 2", "epochs: 10000000000000000000000"),
        ("batch_size: 9", "batch_size: 1000000000"),
        ("learning_rate: 0.1", f"learning_rate: 1{'0' * 99}.0"),
        ("dropout: 0.5", "dropout: 0.9999999999999999"),
        ("calibration_images: 8", "calibration_images: 9223372036854775808"),
        (
            "validation_fraction: 0.2}",
            "validation_fraction: 0.2, views: 3000, augment: {zoom: 0.1}}",
        ),
        (
            "validation_fraction: 0.2}",
            "validation_fraction: 0.2, views: 3, augment: {zoom: 0.99999}}",
        ),
    ],
)
def test_a_value_that_would_break_a_stage(old: str, new: str) -> None:
    assert old in TEXT
    assert outcome(TEXT) is not None
    assert outcome(TEXT.replace(old, new)) is None


@pytest.mark.parametrize("name", ["size", "nfiles"])
def test_a_file_whose_change_dvc_would_miss(name: str) -> None:
    with pytest.raises(ParamsError, match=f"a file must not be named {name}"):
        params.parse(TEXT.replace("{a: ", f"{{{name}: "))


def test_limits_have_defaults_and_may_be_set() -> None:
    assert params.parse(TEXT).datasets["pets"].limits == sections.Limits()
    set_ = params.parse(
        TEXT.replace("    extract:", "    limits: {download_gb: 200}\n    extract:")
    )
    assert set_.datasets["pets"].limits == sections.Limits(download_gb=200)
