import math
import re

import pytest

from imago.core import strict_yaml


def saying(message):
    return r"\A" + ".*".join(map(re.escape, message.split("…"))) + r"\Z"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("20", 20),
        ("+7", 7),
        ("-7", -7),
        ("0.0", 0.0),
        ("1.", 1.0),
        ("-0.25", -0.25),
        ("+0.25", 0.25),
        ("0.10", 0.1),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("word", "word"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("'null'", "null"),
        ("''", ""),
        ("犬", "犬"),
    ],
)
def test_scalar(text, value):
    found = strict_yaml.read(f"- {text}")[0]

    assert found == value
    assert type(found) is type(value)


def test_nan():
    assert math.isnan(strict_yaml.read(".nan"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("010", id="octal in YAML 1.1"),
        pytest.param("0o10", id="octal in YAML 1.2"),
        pytest.param("00", id="two zeros"),
        pytest.param("00.5", id="two zeros before a dot"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("0b10", id="binary"),
        pytest.param("1_000", id="underscore"),
        pytest.param("1_000.5", id="underscore before a dot"),
        pytest.param("1:00", id="sexagesimal"),
        pytest.param("1:00.5", id="sexagesimal with a fraction"),
        pytest.param("2026-01-31", id="date"),
        pytest.param("2026-01-31 10:00:00", id="timestamp"),
        pytest.param("1e-3", id="exponent"),
        pytest.param("1.0e-3", id="dot and exponent"),
        pytest.param("1E3", id="upper-case exponent"),
        pytest.param(".5", id="no digit before the dot"),
        pytest.param("1.2.3", id="version"),
        pytest.param("inf", id="inf without a dot"),
        pytest.param("nan", id="nan without a dot"),
        pytest.param(".Inf", id="upper-case inf"),
        pytest.param(".NAN", id="upper-case nan"),
        pytest.param("=", id="YAML 1.1's default value"),
        *["yes", "Yes", "no", "NO", "on", "off", "y", "n"],
        *["True", "TRUE", "False", "FALSE", "Null", "NULL"],
    ],
)
def test_what_yaml_1_1_and_1_2_read_in_two_ways_is_text(text):
    assert strict_yaml.read(f"a: {text}") == {"a": text}


def test_lists_and_sections():
    text = "a:\n  b: [1, {c: 2.0}]\n  d:\n    - x\n    -\n"

    assert strict_yaml.read(text) == {"a": {"b": [1, {"c": 2.0}], "d": ["x", None]}}


def test_keys_follow_the_same_rules():
    assert strict_yaml.read("{yes: 1, 010: 2, 8: 3, true: 4}") == {
        "yes": 1,
        "010": 2,
        8: 3,
        True: 4,
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n...\n"])
def test_nothing(text):
    assert strict_yaml.read(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("{<<: *a, z: 3}", {"x": 1, "y": 2, "z": 3}, id="added"),
        pytest.param("{<<: *a, y: 3}", {"x": 1, "y": 3}, id="own key after it wins"),
        pytest.param("{y: 3, <<: *a}", {"x": 1, "y": 3}, id="own key before it wins"),
        pytest.param("{<<: [{y: 4}, *a]}", {"x": 1, "y": 4}, id="first of a list wins"),
        pytest.param("{'<<': 1}", {"<<": 1}, id="in quotes"),
    ],
)
def test_merge_keys(text, value):
    assert strict_yaml.read(f"a: &a {{x: 1, y: 2}}\nb: {text}")["b"] == value


def test_merge_of_a_section_that_is_merged_itself():
    text = "{a: {b: {c: &c {<<: {x: 1, y: 2}, y: 3}}}, d: {<<: *c}}"  # d is built before c

    value = {"x": 1, "y": 3}
    assert strict_yaml.read(text) == {"a": {"b": {"c": value}}, "d": value}


def test_anchor_may_be_used_often():
    assert strict_yaml.read("{a: &a {x: 1}, b: *a, c: *a}") == {key: {"x": 1} for key in "abc"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a'", id="at the top"),
        pytest.param(
            "a: [{b: 1},\n {c: {d: 1, d: 1}}]", "line 2, column 13: the key 'd'", id="deep"
        ),
        pytest.param("{a: 1, 'a': 2}", "line 1, column 8: the key 'a'", id="quoted and not"),
        pytest.param("{8: 1, 8: 2}", "line 1, column 8: the key '8'", id="number"),
        pytest.param(
            "a: &a {x: 1, x: 2}\nb: {<<: *a}", "line 1, column 14: the key 'x'", id="in an anchor"
        ),
        pytest.param(
            "a: &a {x: 1}\nb: {<<: *a, <<: *a}", "line 2, column 13: the key '<<'", id="merge key"
        ),
    ],
)
def test_key_that_stands_twice(text, message):
    with pytest.raises(ValueError, match=saying(f"{message} stands twice")):
        strict_yaml.read(text)


def test_same_key_in_two_sections():
    assert strict_yaml.read("{a: {c: 1}, b: {c: 1}}") == {"a": {"c": 1}, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("a: {[1, 2]: 3}", "line 1, column 5", id="list"),
        pytest.param("a: 1\nb: {{x}: 2}", "line 2, column 5", id="section, as of a template"),
        pytest.param("? [x]\n: 1", "line 1, column 3", id="with a question mark"),
        pytest.param("a: &a [1]\nb: {*a : 1}", "line 1, column 4", id="anchor"),
        pytest.param("{[1]: 1, [1]: 1}", "line 1, column 2", id="twice"),
    ],
)
def test_key_that_is_no_scalar(text, where):
    with pytest.raises(
        ValueError, match=saying(f"{where}: a key must be text, not a list or a section")
    ):
        strict_yaml.read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!int 010", "line 1, column 4: tags are not allowed, got tag:yaml.org,2002:int"),
        ("a: !!bool x", "line 1, column 4: tags are not allowed, got tag:yaml.org,2002:bool"),
        ("a:\n- !!set {x}", "line 2, column 3: tags are not allowed, got tag:yaml.org,2002:set"),
        ("!!timestamp x", "line 1, column 1: tags are not allowed, got …:timestamp"),
        ("!!python/name:os.system", "line 1, column 1: tags are not allowed, got …:os.system"),
        ("{!!str a: 1}", "line 1, column 2: tags are not allowed, got tag:yaml.org,2002:str"),
        ("a: !own {x: 1}", "line 1, column 4: tags are not allowed, got !own"),
        ("a: ! 5", "line 1, column 4: tags are not allowed, got !"),
    ],
)
def test_tags_are_refused(text, message):
    with pytest.raises(ValueError, match=saying(message)):
        strict_yaml.read(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: [2", "line 2, column 6: expected ',' or ']'…", id="open list"),
        pytest.param("a: 1\nb: c: 2", "line 2, column 5: mapping values …", id="two colons"),
        pytest.param("a:\n\tb: 1", r"line 2, column 1: found character '\t' …", id="tab"),
        pytest.param("a: *b", "line 1, column 4: found undefined alias 'b'", id="unknown anchor"),
        pytest.param("a: 1\n---\na: 2", "line 2, column 1: …another document", id="two documents"),
        pytest.param("<<: 1", "line 1, column 5: expected a mapping …", id="merge of a number"),
        pytest.param("a: '1", "line 1, column 6: found unexpected end…", id="open quote"),
        pytest.param("a: \x07", "unacceptable character #x0007: …position 3", id="bell"),
    ],
)
def test_error_says_where_in_one_line(text, message):
    with pytest.raises(ValueError, match=saying(message)):
        strict_yaml.read(text)


@pytest.mark.parametrize(
    "text",
    ["null", "~", "true", "false", "0", "-7", "+7", "20", "1.", "0.10", "-0.25", ".inf", "yes"],
)
def test_dvc_reads_the_same_value(text):
    ruamel = pytest.importorskip("ruamel.yaml")  # which DVC reads params.yaml with

    found = ruamel.YAML(typ="safe", pure=True).load(text)
    assert repr(strict_yaml.read(text)) == repr(found)


def test_marks_of_a_merge():
    text = "seed: 1\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"
    with pytest.raises(ValueError, match=r"^line 2: marks of a merge .*`imago resolve`"):
        strict_yaml.read(text)
