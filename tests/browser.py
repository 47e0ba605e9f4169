"""Chromium, without a window and without a network, for tests that look at pages."""

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; skip the test where there is none, but fail under CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = f"needs a browser, one of {', '.join(NAMES)}; none is installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
