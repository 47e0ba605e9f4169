"""Entries of a YAML file as text."""

import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

from imago.core import strict_yaml
from imago.project import add, yaml_text

ROOT = Path(__file__).parents[1]
RECIPES = [f"recipes/{path.name}" for path in sorted((ROOT / "recipes").glob("*.yaml"))]
TEXT = """\
# all
seed: 20 # of draws

shapes:
  # round
  ball:
    sizes: [1, 2]
    names:
    - a
    - b

  # with corners
  # and edges
  box:
    digest: |-
      0123456789
    # the end of it
few: {a: {x: 1}, b: {x: 2}} # in braces
none: {} # yet
"""


@pytest.mark.parametrize("name", ["params.yaml", *RECIPES])
def test_dvc_changes_one_line_of_our_files(tmp_path, name):
    """As `dvc exp run -S` does, which writes lists anew, without what stands behind them."""
    text = (ROOT / name).read_text("utf-8")
    assert dumps_yaml(parse_yaml_for_update(text, "")) == text
    path = tmp_path / "params.yaml"
    path.write_text(text, "utf-8")
    (exports,) = strict_yaml.read(text)["exports"]
    apply_overrides(path, [f"exports.{exports}.calibration_images=300"])
    assert path.read_text("utf-8") == text.replace("images: 200", "images: 300")


def test_and_of_all_recipes_together(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in RECIPES:
        add.recipe(Path(name).stem)
    path = tmp_path / "params.yaml"
    text = path.read_text("utf-8")
    apply_overrides(path, ["exports.all_formats.calibration_images=300"])
    assert path.read_text("utf-8") == text.replace("images: 200", "images: 300", 1)


def test_entries():
    assert yaml_text.entries(TEXT) == {
        "shapes": {
            "ball": "# round\nball:\n  sizes: [1, 2]\n  names:\n  - a\n  - b\n",
            "box": "# with corners\n# and edges\nbox:\n  digest: |-\n    0123456789\n",
        }
    }


def test_a_long_word_stands_in_a_line_of_its_own_without_a_space_before():
    written = yaml_text.block("files", {"birds.zip": "f" * 80})
    assert written == f"files:\n  birds.zip: |-\n    {'f' * 80}\n"
    assert dumps_yaml(parse_yaml_for_update(written, "")) == written


@pytest.mark.parametrize("column", [0, 2, 4])
def test_a_word_is_long_where_it_goes_beyond_80_letters(column):
    name = "n" * (80 - 4 - len(": ") - 64)  # fits to the letter where `files` stands at 2
    written = yaml_text.block("files", {name: "f" * 64}, column)
    assert ("|-" in written) == (column == 4)


def test_an_entry_is_put_behind_the_last_one():
    after = yaml_text.insert(TEXT, "shapes", "# new\ncone:\n  size: 3\n")
    added = "\n  # new\n  cone:\n    size: 3\n"
    assert after == TEXT.replace("    # the end of it\n", added + "    # the end of it\n")


def test_an_entry_is_put_into_an_empty_section():
    after = yaml_text.insert(TEXT, "none", "cone:\n  size: 3\n")
    assert after == TEXT.replace("none: {} # yet\n", "none: # yet\n  cone:\n    size: 3\n")


def test_an_entry_in_braces_is_not_touched():
    with pytest.raises(ValueError, match="few must have each entry in a line of its own"):
        yaml_text.insert(TEXT, "few", "c: 1\n")


def test_no_such_section():
    with pytest.raises(ValueError, match="other is missing"):
        yaml_text.insert(TEXT, "other", "c: 1\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
@pytest.mark.parametrize("section", ["shapes", "none"])
def test_what_was_put_in_and_taken_out_leaves_nothing(section, newline, mark):
    before = mark + TEXT.replace("\n", newline)
    with_it = yaml_text.insert(before, section, "# new\ncone:\n  size: 3\n")
    assert with_it.count(newline) == before.count("\n") + with_it.count("cone") + 2 + (
        section == "shapes"
    )
    assert yaml_text.remove(with_it, section, "cone") == before


def test_an_entry_of_a_file_with_CRLF_is_put_into_another():
    crlf = TEXT.replace("\n", "\r\n")
    with_it = yaml_text.insert(crlf, "none", yaml_text.entries(crlf)["shapes"]["ball"])
    assert with_it.count("\r") == with_it.count("\n") == with_it.count("\r\n")
    assert strict_yaml.read(with_it)["none"] == {"ball": {"sizes": [1, 2], "names": ["a", "b"]}}


def test_the_first_and_the_only_entry_are_taken_out():
    without_ball = yaml_text.remove(TEXT, "shapes", "ball")
    assert without_ball == TEXT.replace(TEXT[TEXT.index("  # round") : TEXT.index("  # with")], "")
    without_any = yaml_text.remove(without_ball, "shapes", "box")
    assert "shapes: {}\n    # the end of it\n" in without_any


def test_another_name():
    assert yaml_text.rename(TEXT, "shapes", "box", "Würfel") == TEXT.replace("  box:", "  Würfel:")
    assert "  '1e5':\n" in yaml_text.rename(TEXT, "shapes", "box", "1e5")


@pytest.mark.parametrize(
    ("keys", "value", "old", "new"),
    [
        (["seed"], 5e-05, "seed: 20 #", "seed: 5e-05 #"),
        (["seed"], "1", "seed: 20 #", "seed: '1' #"),
        (["seed"], None, "seed: 20 #", "seed: #"),
        (["seed"], [1], "seed: 20 # of draws", "seed:\n- 1"),
        (["shapes", "ball", "sizes"], [3], "[1, 2]", "[3]"),
        (["shapes", "ball", "names"], ["c"], "    - a\n    - b\n", "    - c\n"),
        (["shapes", "box", "digest"], 7, "digest: |-\n      0123456789\n", "digest: 7\n"),
        (["shapes", "ball", "new"], {"c": 1}, "    - b\n", "    - b\n    new:\n      c: 1\n"),
        (["few", "b", "x"], 3, "b: {x: 2}", "b: {x: 3}"),
        (["few", "b", "y", "z"], 3, "b: {x: 2}", "b: {x: 2, y: {z: 3}}"),
    ],
    ids=str,
)
def test_a_value(keys, value, old, new):
    assert yaml_text.put(TEXT, keys, value) == TEXT.replace(old, new)


def test_a_value_holds_no_key():
    with pytest.raises(ValueError, match="seed must be a section of keys and values, got '20'"):
        yaml_text.put(TEXT, ["seed", "x", "y"], 1)
