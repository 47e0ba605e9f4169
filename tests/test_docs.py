"""README and docs as they are read: each command of each console, in order, on tiny data."""

import contextlib
import functools
import http.server
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests import console, docs_project
from tests.console import Shell, Step
from tests.docs_project import Hub
from tests.tiny_project import ROOT

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for folder in (".", "docs", "bench", "data")
    for path in sorted((ROOT / folder).glob("*.md"))
}
SESSIONS = {name: steps for name, text in TEXTS.items() if (steps := list(console.steps(text)))}

INSTALLS = "installs"
TESTS = "runs the tests, or as long: lint and types"
NOT_RUN = {
    "make test": TESTS,
    "make check test": TESTS,
    "make test-all": TESTS,
    'python -m pytest -m "not slow"': TESTS,
    "scripts/ci.sh check": TESTS,
    "scripts/ci.sh test": TESTS,
    "scripts/ci.sh": TESTS,
    "python3 -m venv .venv": INSTALLS,
    "pip install --require-hashes -r requirements.txt": INSTALLS,
    "pip install --no-deps --no-build-isolation --editable .": INSTALLS,
    "pip install --require-hashes -r requirements-dev.txt": INSTALLS,
    'pip install --no-build-isolation --editable ".[gs]"': INSTALLS + ", for a cloud",
}
"""Commands that are not run, and why."""

SERVERS = {
    "make app": ("stop with Ctrl+C", {2, 130}),
    "imago cluster --workers 2": ("stop with Ctrl+C", {130}),
    "tensorboard --logdir .imago/tensorboard": ("http://localhost", {0, 130}),
}
"""Commands that serve until Ctrl+C: what they print then, and with which codes they end."""

ANSWERS = {"dvc gc --workspace --all-branches --all-tags --all-experiments": "y"}
"""What is typed where a command asks."""

STATUS = {
    "README.md": {("python -m stages.train mnist_sgd", 1): 1},
    "docs/params.md": {("python -m stages.train mnist_sgd", 1): 1},
    "docs/sweeps.md": {("imago sweep mnist_sgd learning_rate=0.05,0.1", 1): 1},
    "docs/team.md": {
        ("git pull --no-rebase", 1): 1,
        ("imago verify", 1): 1,
        ("imago verify --remove", 1): 1,
    },
}
"""Exit codes that are not 0, by the command and which one of its kind it is in the document."""

SLOWER = "sed -i 's/learning_rate: 0.1$/learning_rate: 0.09/' params.yaml"
SLOWER_STILL = "sed -i 's/learning_rate: 0.09$/learning_rate: 0.08/' params.yaml"
WRONG = "sed -i \"0,/learning_rate: .*/s//learning_rate: '1e-3'/\" params.yaml"
EXPORTED = ["imago add cat_dog_mobilenet", "dvc repro export@cat_dog_mobilenet export@mnist_adam"]
DAMAGE = [
    "found=$(md5sum < data/prepared/mnist28/train/images.npy)",
    "printf damaged > object",
    "chmod 444 object",  # as DVC leaves its own, or it notices
    "mv --force object .dvc/cache/files/md5/${found:0:2}/${found:2:30}",
]
BEFORE = {
    "README.md": {
        ("dvc repro", 3): ["git add --all", "git commit -m All", SLOWER],
        ("python -m stages.train mnist_sgd", 1): ["cp params.yaml sound", WRONG],
        (
            "imago predict --model cat_dog_mobilenet photo.jpg photos/ https://example.org/a.jpg",
            1,
        ): ["mv sound params.yaml"],
    },
    "docs/params.md": {("python -m stages.train mnist_sgd", 1): [WRONG]},
    "docs/app.md": {("make app", 1): EXPORTED},
    "docs/predict.md": {
        (
            "imago predict --model cat_dog_mobilenet photo.jpg photos/ 'more/**/*.png' "
            "https://example.org/a.jpg",
            1,
        ): EXPORTED
    },
    "docs/extending.md": {
        ("imago results", 1): [
            "grep mean_margin metrics/mnist_sgd.json",
            "test -f reports/mnist_sgd/figures/brightness.png",
        ]
    },
    "docs/gate.md": {
        ("imago gate", 1): [
            "dvc checkout",
            "dvc exp run --name puffy-fork -S experiments.fashion_mlp.train.learning_rate=0.0019",
            "git checkout .",
            "dvc checkout",
        ],
    },
    "docs/scale.md": {
        ("dvc repro", 1): [SLOWER],
        ("IMAGO_TRAINING_PROCESSES=2 dvc repro", 1): [SLOWER_STILL],
    },
    "docs/sweeps.md": {
        ("dvc repro train@mnist_adam", 1): ["sed -i 's/epochs: 30/epochs: 2/' params.yaml"]
    },
    "docs/team.md": {
        ("dvc remote add --default storage /mnt/share/imago", 1): ["dvc checkout"],
        ("dvc repro --pull --allow-missing", 1): [
            "cd ..",
            "git clone hub.git second",
            "cd second",
            "cp -a ../first/.venv .",
        ],
        ("dvc repro --pull --allow-missing", 2): [SLOWER],
        ("git pull", 1): ["cd ../first"],
        ("dvc exp list origin", 1): ["cd ../second"],
        ("git pull --no-rebase", 1): [
            "git commit --all -m 'As slow'",
            "cd ../first",
            "git checkout .",
            "dvc pull",
            "sed -i 's/epochs: 30/epochs: 20/' params.yaml",
            "dvc repro --pull --allow-missing",
            "git commit --all -m 'Fewer epochs'",
            "dvc push",
            "git push",
            "cd ../second",
        ],
        ("imago verify", 1): ["cd ../first", "dvc pull", *DAMAGE],
        ("scripts/ci.sh gate", 1): ["dvc push"],
    },
}
"""What the words between the commands say, or leave to the reader, in the same terms."""


def names(document: str) -> list[tuple[str, int]]:
    return [(step.command, step.occurrence) for step in SESSIONS[document]]


@pytest.mark.parametrize("table", [STATUS, BEFORE], ids=["STATUS", "BEFORE"])
def test_what_is_said_of_a_command_is_of_one_that_is_there(table):
    for document, entries in table.items():
        assert set(entries) <= set(names(document)), document


def test_the_same_of_commands_in_any_document():
    found = {step.command for steps in SESSIONS.values() for step in steps}
    assert {*NOT_RUN, *SERVERS, *ANSWERS} <= found
    for place in places(Path(), 0, 0):
        assert any(place in text for text in TEXTS.values())


def test_no_document_has_commands_in_another_form():
    for name, text in TEXTS.items():
        blocks = re.findall(r"^```console$", text, re.M)
        assert bool(blocks) == (name in SESSIONS)
        assert not re.search(r"^```(sh|bash|shell)", text, re.M)


def places(home: Path, files_port: int, page_port: int) -> dict[str, str]:
    """What is elsewhere for a reader, and where it is here."""
    return {
        "/mnt/share/imago": str(home / "store"),
        "/media/usb/raw": str(home / "published"),
        "https://example.org": f"http://127.0.0.1:{files_port}",
        "http://127.0.0.1:8501": f"http://127.0.0.1:{page_port}",
        "make app": f"make app PORT={page_port}",
        "imago cluster --workers 2": f"imago cluster --workers 2 --port {page_port}",
        "tcp://127.0.0.1:8786": f"tcp://127.0.0.1:{page_port}",
        "--random 20": "--random 2",
    }


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[Hub]:
    """A repository in which all has run, tagged v1.0, and a clone in whose cache are all five."""
    hub = docs_project.create(tmp_path_factory.mktemp("hub"), ["litert", "onnx"])
    with hub.shell(hub.clone("zero")) as shell:
        for command in (
            "make repro",
            "git add --all",
            "git commit -m Run",
            "git tag v1.0",
            "git push origin main v1.0",
            "make all",
        ):
            shell.check(command)
    yield hub
    shutil.rmtree(hub.home)


def furnish(folder: Path) -> None:
    """Write the pictures that documents name."""
    generator = np.random.default_rng(4)
    pixels = generator.normal((200, 60, 60), 8, (60, 80, 3)).clip(0, 255).astype(np.uint8)
    photo = cv2.imencode(".jpg", pixels)[1].tobytes()
    for name in ("photo.jpg", "cat.jpg", "new.jpg", "a.jpg", "photos/b.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(photo)
    digit = generator.integers(0, 60, (28, 28), dtype=np.uint8)  # as tiny_sources.idx has them
    digit[8:14] += 150
    for name in ("digit.png", "scans/1.png", "more/deep/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), digit)
    (folder / "notes.txt").write_text("no photo")


def write_modules(folder: Path, text: str) -> None:
    """Write the modules that a document shows, each below a paragraph that ends with its path."""
    for path, content in re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", text, re.M | re.S):
        (folder / path).write_text(content, "utf-8")


@contextlib.contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder by http; yields the port."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def replaced(text: str, table: dict[str, str]) -> str:
    for old, new in table.items():
        text = text.replace(old, new)
    return text


@pytest.mark.slow
@pytest.mark.parametrize("document", SESSIONS)
def test_each_command_ends_as_the_text_says(hub, tmp_path, document):
    """What `hub` has run comes from the DVC cache."""
    here = hub.copy(tmp_path)
    clone = here.clone("first", hub.home / "zero/.dvc/cache")
    furnish(clone)
    (photos,) = (here.published / "cat_dog").iterdir()
    shutil.unpack_archive(photos, clone / "birds")
    shutil.copy(photos, clone / "june.zip")
    if document == "docs/extending.md":
        write_modules(clone, TEXTS[document])
    with served(clone) as files_port, here.shell(clone) as shell:
        table = places(tmp_path, files_port, free_port())
        for step in SESSIONS[document]:
            for command in BEFORE.get(document, {}).get((step.command, step.occurrence), []):
                shell.check(command)
            if step.command not in NOT_RUN:
                carry_out(step, document, shell, table, tmp_path / "log")
        for command, code in shell.interrupt().items():
            name = re.split(r" PORT=| --port ", command)[0]
            assert code in SERVERS[name][1], name
    shutil.rmtree(tmp_path)  # some 100 MB


def carry_out(step: Step, document: str, shell: Shell, table: dict[str, str], log: Path) -> None:
    """Run a command of a document, and compare."""
    command = replaced(step.command, table)
    if step.command in SERVERS:
        status, printed = 0, shell.serve(command, log, SERVERS[step.command][0])
    else:
        ran = shell.run(command, ANSWERS.get(step.command, ""))
        status, printed = ran.status, ran.printed
    wanted = STATUS.get(document, {}).get((step.command, step.occurrence), 0)
    where = f"{document}: {command}\n{printed}"
    assert status == wanted, where
    shown = [replaced(line, table) for line in step.shown]
    assert console.lacking(shown, printed) == [], where
