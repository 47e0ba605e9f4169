"""The pages in Chromium, as a person sees them: from files, without a network."""

import pytest

from imago.core import files
from stages import overview, report
from tests import report_tree

pytestmark = pytest.mark.browser

PAGES = {"overview": "reports/index.html", "experiment": "reports/tiny/index.html"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A report on one experiment, and cards of two more."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        report_tree.write(folder)
        report.main("tiny")
        card = files.read_json(folder / "reports/cards/tiny.json")
        for name, accuracy, parameters in (("better", 0.9, 9), ("worse", 0.05, 1000)):
            metrics = card["metrics"] | {"accuracy": accuracy, "parameters": parameters}
            other = card | {"experiment": name, "metrics": metrics}
            files.write_json(folder / f"reports/cards/{name}.json", other)
        overview.main()
    return folder


@pytest.fixture
def open_page(chromium, tree):
    """Return a function that opens a page; afterwards nothing was asked for or complained of."""
    complaints, requests, contexts = [], [], []

    def open_page(name, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((tree / PAGES[name]).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(open_page, name, width):
    page = open_page(name, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def contrasts(page):
    """The contrast of the text of each element with what is behind it."""
    return page.evaluate("""() => {
      const channels = (color) => color.match(/[\\d.]+/g).map(Number);
      const behind = (element) => {
        for (; element; element = element.parentElement) {
          const color = channels(getComputedStyle(element).backgroundColor);
          if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
      };
      const light = ([r, g, b]) => {
        const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
      };
      return [...document.querySelectorAll("h1,h2,h3,p,li,a,th,td,dt,dd,figcaption,summary,text")]
        .map((element) => {
          const style = getComputedStyle(element);
          const ink = channels(element.tagName === "text" ? style.fill : style.color);
          const [a, b] = [light(ink), light(behind(element))];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
    }""")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(open_page, name, scheme):
    """By the ratio that WCAG 2.1 asks of text, 4.5."""
    found = contrasts(open_page(name, color_scheme=scheme))
    assert len(found) > 20
    assert min(found) >= 4.5


def test_light_and_dark_differ(open_page):
    color = "getComputedStyle(document.body).backgroundColor"
    pages = [open_page("overview", color_scheme=scheme) for scheme in ("light", "dark")]
    assert pages[0].evaluate(color) != pages[1].evaluate(color)


def names(page):
    return page.locator("#results tbody th").all_inner_texts()


def test_the_table_is_sorted_by_numbers_with_the_keyboard(open_page):
    page = open_page("overview")
    assert names(page) == ["better", "tiny", "worse"]

    head = page.get_by_role("columnheader", name="Parameters")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["better", "worse", "tiny"]  # 9, 1,000 and 1,234,567
    assert head.get_attribute("aria-sort") == "ascending"

    page.keyboard.press("Enter")
    assert names(page) == ["tiny", "worse", "better"]
    assert head.get_attribute("aria-sort") == "descending"

    page.get_by_role("columnheader", name="Experiment").get_by_role("button").click()
    assert names(page) == ["better", "tiny", "worse"]
    assert head.get_attribute("aria-sort") is None


def test_an_experiment_is_one_click_away_and_back(open_page, tree):
    page = open_page("overview")
    href = page.get_by_role("link", name="tiny").get_attribute("href")
    assert (tree / "reports" / href).is_file()
    back = open_page("experiment").get_by_role("link", name="All experiments")
    assert (tree / "reports/tiny" / back.get_attribute("href")).resolve().is_file()


def test_without_scripts_all_is_there(open_page):
    page = open_page("overview", java_script_enabled=False)
    assert names(page) == ["better", "tiny", "worse"]


def test_a_figure_that_was_shrunk_can_be_enlarged(open_page):
    page = open_page("experiment", viewport={"width": 390, "height": 800})
    image = page.locator("#confusion img")
    assert image.evaluate("i => i.clientWidth") < report_tree.FIGURE_PX[0]
    for width in (report_tree.FIGURE_PX[0], image.evaluate("i => i.clientWidth")):
        image.click()
        assert image.evaluate("i => i.clientWidth") == width
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_images_are_drawn(open_page):
    page = open_page("experiment")
    sizes = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.naturalHeight])")
    assert sizes == [[*report_tree.FIGURE_PX]] * len(report_tree.FIGURES)
