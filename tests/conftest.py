"""What the tests share: TensorFlow without its start-up notes, an order, and a section `train`."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.pop("COLUMNS", None)  # with which tests that run side by side begin; a test says its own
# What is compiled is kept, also where the machine says otherwise: each of the many processes that
# run these files, or are started by them, would compile all of it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


LONGEST = (
    "test_docs",
    "test_scenarios",
    "test_pipeline",
    "test_team",
    "test_training",
    "test_stage_train",
    "test_app_page",
    "test_commands_sweep",
)
"""The files that take longest, which must not begin last where tests run side by side."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Leave what the files import, which stays, out of every later search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with them, and leave out what needs the internet, unless that is asked for."""
    if "network" not in config.getoption("markexpr"):
        items[:] = [item for item in items if item.get_closest_marker("network") is None]
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser of Playwright; for the module alone, since its event loop is in others' way."""
    from tests import browser  # here, since few tests need it

    with browser.chromium() as started:
        yield started


@pytest.fixture
def training() -> dict[str, Any]:
    """A `train` section of params.yaml."""
    return {
        "model": "mlp",
        "normalization": "rescale",
        "hidden_units": [4],
        "dropout": 0.0,
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "epochs": 10,
        "batch_size": 8,
        "jit_compile": False,
    }
