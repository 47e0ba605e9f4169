import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest

from imago.core import files
from imago.core.errors import DataError, ParamsError
from imago.reports import numbers, rendering
from stages import report
from tests import report_tree
from tests.report_tree import CLASSES, LICENCE, METRICS, TABLES

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """Tables by id or by their region's label, each a list of rows of cells; and the texts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.text, self.images, self.ids = [], [], [], [], []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append((tag, values))
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "tr":
            self.rows.append({"attributes": values, "cells": [], "data": []})
        elif tag in ("td", "th") and self.rows:
            self.rows[-1]["cells"].append("")
            self.in_cell = True
        elif tag == "data":
            self.rows[-1]["data"].append(values["value"])
        elif tag == "img":
            self.images.append(values)

    def handle_endtag(self, tag):
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        self.text.append(data)
        if self.in_cell:
            self.rows[-1]["cells"][-1] += data

    def rows_with(self, attribute):
        return {
            row["attributes"][attribute]: row for row in self.rows if attribute in row["attributes"]
        }


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report_tree.write(tmp_path)
    return tmp_path


@pytest.fixture
def page(tree):
    report.main("tiny")
    return Page((tree / "reports/tiny/index.html").read_text("utf-8"))


def test_every_metric_is_shown_as_it_is_tracked(page):
    rows = page.rows_with("data-metric")
    assert list(rows) == list(METRICS)
    for name, row in rows.items():
        (full,) = row["data"]
        assert float(full) == METRICS[name]
    shown = {name: row["cells"][-1] for name, row in rows.items()}
    assert shown["accuracy"] == "70.00 %"
    assert shown["loss"] == "0.87654"
    assert shown["parameters"] == "1,234,567"
    assert shown["another_number"] == "0.25"


def test_balanced_accuracy_leads_where_classes_are_unequal(tree):
    lead = "It names 70.00 % of 10 test images right."
    assert lead in _text(tree)
    ends = {"balanced_accuracy_low": 0.6125, "balanced_accuracy_high": 0.94}
    files.write_json(tree / "metrics/tiny.json", METRICS | ends)

    text = _text(tree)

    assert lead not in text
    assert "of a class it names 85.00 % right, on average over the classes" in text
    assert "expected between 61.25 % and 94.00 % (95 % interval)" in text
    assert "The classes have 1 to 5 test images" in text
    assert "37.55 % to 96.38 %" in text  # of 4 of 5
    first, second = re.findall(r"<dt>(.*?)</dt>", (tree / "reports/tiny/index.html").read_text())[
        :2
    ]
    assert (first, second) == ("Balanced accuracy", "Accuracy")


def _text(tree):
    report.main("tiny")
    return "".join(Page((tree / "reports/tiny/index.html").read_text("utf-8")).text)


def test_every_figure_of_each_class_is_shown_as_it_is_tracked(page):
    rows = page.rows_with("data-class")
    header, *expected = TABLES["per_class.csv"]
    assert list(rows) == [row[0] for row in expected]
    for name, *values in expected:
        assert [float(full) for full in rows[name]["data"]] == [v for v in values if v != ""]
    assert rows[CLASSES[0]]["cells"] == [
        CLASSES[0], "100.00 %", "80.00 %", "88.80 %", "5", "0.9"
    ]  # fmt: skip
    assert rows[CLASSES[2]]["cells"][-1] == "–"
    assert len(header) == 6


def test_every_epoch_is_shown_as_it_is_tracked(page):
    start = next(i for i, row in enumerate(page.rows) if row["cells"][:1] == ["Epoch"])
    shown = [list(map(float, row["data"])) for row in page.rows[start + 1 : start + 3]]
    assert shown == TABLES["history.csv"][1:]


def test_confusions_are_those_of_the_table(page):
    rows = [row for row in page.rows if "data-confusion" in row["attributes"]]
    assert [row["cells"] for row in rows] == [
        [CLASSES[1], CLASSES[2], "2", "50.00 %"],
        [CLASSES[0], CLASSES[2], "1", "20.00 %"],
    ]


def test_formats(page):
    rows = page.rows_with("data-format")
    assert rows["litert"]["cells"] == [
        "litert", "model.tflite", "1.5 kB", "70.00 %", "100.00 %", "1.2e-06"
    ]  # fmt: skip
    assert rows["saved_model"]["cells"] == ["saved_model", "saved_model", "2.5 MB", "–", "–", "–"]


def test_texts_of_the_data_are_no_html(page, tree):
    html = (tree / "reports/tiny/index.html").read_text("utf-8")
    for text in (*CLASSES, LICENCE):
        assert any(text in shown for shown in page.text)
    assert "<b>cat" not in html
    assert "<1.0>" not in html


def test_nothing_is_asked_of_any_host(page):
    for tag, attributes in page.tags:
        for name in ("src", "href"):
            target = attributes.get(name, "")
            assert not re.match(r"(https?:)?//", target), (tag, target)
    policy = next(a["content"] for _, a in page.tags if "Content-Security-Policy" in a.values())
    assert policy.startswith("default-src 'none';")


def test_figures_stand_in_their_order_with_words_for_each(page):
    assert [image["alt"].split(" of ")[0] for image in page.images] == [
        "Learning curves",
        "Confusion matrix",
        "Something <new>",
    ]
    for image in page.images:
        assert image["src"].startswith("data:image/png;base64,iVBOR")
        assert (image["width"], image["height"]) == ("860", "300")


def with_figure(tree, section):
    """Add a figure to those that the page shows."""
    captions = files.read_json(tree / "reports/tiny/captions.json")
    captions["added"] = {"title": "Added <it>", "caption": "Look & see.", "section": section}
    files.write_json(tree / "reports/tiny/captions.json", captions)
    shutil.copy(tree / "reports/tiny/figures/curves.png", tree / "reports/tiny/figures/added.png")


@pytest.mark.parametrize("section", rendering.section_names())
def test_every_section_shows_its_figures(tree, section):
    with_figure(tree, section)
    report.main("tiny")
    html = (tree / "reports/tiny/index.html").read_text("utf-8")
    before, after = html.split('<figure class="card" id="added">')
    assert re.findall(r'<h2 id="(\w+)"', before)[-1] == section
    assert 'alt="Added &lt;it&gt; of tiny. Look &amp; see."' in after
    assert "<figcaption>Look &amp; see.</figcaption>" in after


def test_a_figure_of_a_section_that_the_page_has_not(tree):
    with_figure(tree, "answer")
    message = "figure added: SECTION must be one of answers, classes, data, .*, got 'answer'"
    with pytest.raises(DataError, match=message):
        report.main("tiny")


def test_a_new_section_is_one_new_file(tree, monkeypatch):
    templates = shutil.copytree(ROOT / "imago/reports/templates", tree / "templates")
    text = """{% set title, place, heading = "New", 35, "What is new" %}
<p>{{ card.experiment }}</p>
{% include "figures.html" %}
"""
    (templates / "sections/newcomer.html").write_text(text, "utf-8")
    found = rendering.environment().overlay(loader=jinja2.FileSystemLoader(templates))
    monkeypatch.setattr(rendering, "environment", lambda: found)
    with_figure(tree, "newcomer")

    report.main("tiny")

    html = (tree / "reports/tiny/index.html").read_text("utf-8")
    links = re.findall(r'<li><a href="#(\w+)">(.*)</a></li>', html)
    assert links[2:5] == [("training", "Training"), ("newcomer", "New"), ("answers", "Answers")]
    headings = re.findall(r'<h2 id="(\w+)">', html)
    assert headings == [name for name, _ in links]
    start = html.index('<h2 id="newcomer">What is new</h2>\n<p>tiny</p>\n<figure')
    assert start < html.index('id="added"') < html.index('<h2 id="answers">')


def test_links_within_the_page_lead_somewhere(page):
    targets = [a["href"][1:] for _, a in page.tags if a.get("href", "").startswith("#")]
    assert targets
    assert set(targets) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_decisions_are_counted_by_photos(tree):
    (set_aside,) = tree.glob("data/prepared/*/set_aside.csv")
    rows = "a.jpg,label,cat,\na.jpg,drop,,\nb.jpg,label,cat,\n"
    (set_aside.parent / "decisions.csv").write_text(f"photo,decision,label,why\n{rows}")
    report.main("tiny")
    card = files.read_json(tree / "reports/cards/tiny.json")
    assert card["data"]["decisions"] == {"drop": 1, "label": 1}


def test_the_card(tree):
    report.main("tiny")
    card = files.read_json(tree / "reports/cards/tiny.json")

    assert card["experiment"] == "tiny"
    assert card["metrics"] == METRICS
    assert card["data"]["dataset"]["licence"] == LICENCE
    assert card["data"]["dataset"]["files"] == {"pets.zip": "f" * 64}
    assert card["data"]["set_aside"] == {"truncated": 1}
    assert card["data"]["splits"]["train"]["examples_per_class"] == report_tree.TRAIN
    assert card["parameters"]["seed"] == 7
    assert card["parameters"]["train"]["hidden_units"] == [3, 5]
    assert card["confusions"][0] == {
        "true": CLASSES[1], "predicted": CLASSES[2], "count": 2, "share": 0.5
    }  # fmt: skip
    assert card["confidence"] == pytest.approx((4 * 0.6 + 6 * 0.95) / 10)
    assert card["exports"]["litert"]["bytes"] == 1500
    assert set(card["versions"]) == {"python", "imago", "keras", "numpy", "tensorflow"}
    assert {one["about"] for one in card["limits"]} >= {"Weakest class", "Confusions"}


def test_equal_files_give_equal_bytes(tree):
    written = [tree / "reports/tiny/index.html", tree / "reports/cards/tiny.json"]
    report.main("tiny")
    first = [path.read_bytes() for path in written]
    report.main("tiny")
    assert [path.read_bytes() for path in written] == first


def test_features_are_described(tree):
    """With a note of where they come from, and without."""
    text = (tree / "params.yaml").read_text("utf-8")
    text = text.replace("weights: {}", "weights: {net: {files: {n.h5: unpublished}, sources: [a]}}")
    text = text.replace("image_size_px: 4", "image_size_px: 32").replace(
        "features: {}",
        "features: {net: {variant: pets4, backbone: net32}}",
    )
    text = text.replace(
        "backbones: {}",
        "backbones: {net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: max}}",
    )
    text = text.replace("input: prepared/pets4", "input: features/net")
    text = text.replace("model: mlp\n      normalization: rescale", "model: transfer")
    (tree / "params.yaml").write_text(text, "utf-8")
    html = tree / "reports/tiny/index.html"

    report.main("tiny")
    assert "<code>data/features/net</code>" in html.read_text("utf-8")

    told = files.read_json(tree / "data/prepared/pets4/provenance.json")
    told["features"] = {"name": "net", "net": "MobileNetV2"}
    files.write_json(tree / "data/features/net/provenance.json", told)
    report.main("tiny")
    assert "net: MobileNetV2" in html.read_text("utf-8")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("metrics/tiny.json", "metrics/tiny.json: not found; run the stage evaluate"),
        ("reports/tiny/history.csv", "reports/tiny/history.csv: not found; run the stage train"),
        (
            "exports/tiny/model.json",
            "exports/tiny/model.json: not found; it belongs beside",
        ),
        ("reports/tiny/captions.json", "captions.json: not found; run the stage figures"),
        ("data/prepared/pets4/provenance.json", "provenance.json: not found; run the stage that"),
    ],
)
def test_what_was_not_made_yet(tree, missing, message):
    (tree / missing).unlink()
    with pytest.raises(DataError, match=re.escape(message)):
        report.main("tiny")
    assert not (tree / "reports/tiny/index.html").exists()


@pytest.mark.usefixtures("tree")
def test_unknown_experiment():
    with pytest.raises(ParamsError, match="unknown experiment 'other'"):
        report.main("other")


def test_a_hundred_classes(tree):
    names = [f"class {number:03}" for number in range(120)]
    rows = [["class", "precision", "recall", "f1", "support"]]
    rows += [[name, 0.5, 0.5, number / 120, 10] for number, name in enumerate(names)]
    report_tree.write_csv(tree / "reports/tiny/per_class.csv", rows)
    report.main("tiny")
    page = Page((tree / "reports/tiny/index.html").read_text("utf-8"))
    assert list(page.rows_with("data-class")) == names


def test_numbers_below_a_cent_are_not_lost():
    assert numbers.text(0.00001, "number") == "1e-05"


@pytest.mark.parametrize("stage", ["report", "overview"])
def test_tensorflow_stays_out(stage):
    code = (
        f"import sys, stages.{stage}; print(sorted({{'keras', 'tensorflow'}} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
