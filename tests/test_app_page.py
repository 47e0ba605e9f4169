"""The page in a real browser, without a network, on models made by hand."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app import limits
from tests import app_project, malformed

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
TIMEOUT_MS = 30_000
RED = malformed.picture("PNG", 20, app_project.RGB["red"])
BLUE = malformed.picture("JPEG", 20, app_project.RGB["blue"])
Open = Callable[..., Page]


def file(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": content}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the page in a project of two models."""
    folder = tmp_path_factory.mktemp("project")
    app_project.create(folder)
    with serving(folder) as process:
        yield first_word(process)


def serving(folder: Path) -> Any:
    command = [sys.executable, "-m", "app", "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return Server(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


class Server(subprocess.Popen[str]):
    """A process that ends with its context."""

    def __exit__(self, *_: Any) -> None:
        self.terminate()
        super().__exit__(*_)


def first_word(process: subprocess.Popen[str]) -> str:
    """Wait for the address, at which connections are taken from then on."""
    assert process.stdout is not None
    return process.stdout.readline().split("/predict")[0]


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Open]:
    """Opens the page; afterwards, nothing may have been asked of another host."""
    contexts, outside = [], []

    def watch(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            outside.append(request.url)

    def start(query: str = "", **options: Any) -> Page:
        context = chromium.new_context(**({"locale": "en-GB"} | options))
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("request", watch)
        page.on("console", lambda said: outside.append(said.text) if said.type == "error" else None)
        page.goto(address + query)
        expect(page.get_by_role("combobox").first).to_be_visible(timeout=TIMEOUT_MS)
        return page

    expect.set_options(timeout=TIMEOUT_MS)
    yield start
    for context in contexts:
        context.close()
    assert outside == []


def upload(page: Page, *files: dict[str, Any]) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))


def choose(page: Page, model: str) -> None:
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name=model).click()


def test_a_photo_and_what_the_model_knows(visit: Open) -> None:
    page = visit()
    expect(page.get_by_text("This model knows 3 things: blue, green, red.")).to_be_visible()
    expect(page.get_by_text("It knows nothing else.")).to_be_visible()
    expect(page.get_by_text("for 97.5 % of 1,234 test images")).to_be_visible()
    expect(page.get_by_text("They are not stored")).to_be_visible()
    upload(page, file("red.png", RED))
    answer = page.get_by_role("article", name="red.png")
    expect(answer.get_by_role("heading", name="red, > 99.9 %")).to_be_visible()
    expect(answer).to_contain_text("The model is very sure.")
    expect(answer).to_contain_text("it was right in 96.0 % of 200.")
    expect(answer.get_by_role("listitem")).to_have_count(3)


def test_several_files_of_which_one_is_broken_and_one_too_big(visit: Open, tmp_path: Path) -> None:
    page = visit()
    big = bytes(limits.IMAGE_BYTES + 1)
    files = {"red.png": RED, "<b>notes": b"hello", "blue.png": BLUE, "big.png": big}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    field = page.get_by_test_id("stFileUploaderDropzoneInput")
    field.set_input_files([tmp_path / name for name in files])
    expect(page.get_by_role("article", name="red.png")).to_contain_text("red, > 99.9 %")
    expect(page.get_by_role("article", name="blue.png")).to_contain_text("blue, > 99.9 %")
    refusal = page.get_by_role("alert").filter(has_text="Not read: <b>notes")
    expect(refusal).to_contain_text("This is not a picture that can be read.")
    chip = page.get_by_test_id("stFileChip").filter(has_text="big.png")
    expect(chip.get_by_role("alert")).to_be_visible()
    shown = "e => getComputedStyle(e, '::after').content"
    assert chip.get_by_role("alert").evaluate(shown) == '"Not read: the limit is 15 MB."'


def test_languages(visit: Open) -> None:
    page = visit(locale="pt-BR")
    expect(page.get_by_role("heading", name="O que está nesta imagem?")).to_be_visible()
    upload(page, file("red.png", RED))
    expect(page.get_by_role("article")).to_contain_text("O modelo tem muita certeza.")
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", name="What is in this picture?")).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("The model is very sure.")
    asked = visit("?lang=pt")
    expect(asked.get_by_role("heading", name="O que está nesta imagem?")).to_be_visible()


def test_a_drawing_by_mouse_undone_and_by_keyboard(visit: Open) -> None:
    page = visit()
    choose(page, "digits")
    page.get_by_text("Draw", exact=True).click()
    paper = page.locator("canvas")
    box = paper.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 200, steps=5)
    page.mouse.up()
    answer = page.get_by_role("article", name="Your drawing")
    expect(answer.get_by_role("listitem")).to_have_count(6)
    expect(answer).to_contain_text("What the model sees: 16 × 16 pixels")
    page.get_by_role("button", name="Undo").click()
    expect(answer).to_have_count(0)
    paper.focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(answer).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(answer).to_have_count(0)


def test_a_drawing_by_finger_on_a_phone(visit: Open) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    choose(page, "digits")
    page.get_by_text("Draw", exact=True).click()
    page.locator("canvas").tap()
    expect(page.get_by_role("article", name="Your drawing")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_pasting(visit: Open) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Paste a picture")).to_be_visible()
    page.evaluate(
        """content => {
          const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
          document.body.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        base64.b64encode(RED).decode(),
    )
    expect(page.get_by_role("article", name="pasted.png")).to_contain_text("red, > 99.9 %")


def test_examples(visit: Open) -> None:
    page = visit()
    page.get_by_text("Examples", exact=True).click()
    page.get_by_role("button", name="green").first.click()
    answer = page.get_by_role("article", name="Example")
    expect(answer).to_contain_text("In the data set this is: green. The model is right.")
    choose(page, "digits")
    expect(page.get_by_text("The test images of this model are not here")).to_be_visible()


def test_malformed_images(visit: Open) -> None:
    page = visit()
    files = [*malformed.crafted(), *malformed.fuzzed(16)]  # test_endpoint.py sends many more
    for start in range(0, len(files), limits.IMAGES):
        part = files[start : start + limits.IMAGES]
        upload(page, *(file(f"{start} {name}", content) for name, content in part))
        expect(page.locator("article.imago")).to_have_count(len(part))
        page.reload()
        expect(page.locator("article.imago")).to_have_count(0)
    upload(page, file("red.png", RED))
    expect(page.get_by_role("article", name="red.png")).to_contain_text("red, > 99.9 %")


def test_no_models(chromium: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        page = chromium.new_page(locale="pt-PT")
        page.goto(first_word(process))
        expect(page.get_by_text("Ainda não há nenhum modelo.")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_text("make repro")).to_be_visible()
        page.close()
