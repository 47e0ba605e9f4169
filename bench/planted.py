"""What `imago inspect` finds of faults that were planted, and what the drafted decisions are worth.

    python -m bench.planted cat_dog.zip [--seeds 1 2 3 4 5] [--folder F]

1,500 photos of the cats and dogs in four unequal classes, each in colours or in grey, with 75 wrong
labels, 40 copies that were made smaller and compressed anew, 14 of them under another class, 25
HEIC, 5 broken files and names with accents, go in a plain folder through the commands of the
README, in a clone of this repository. Printed is what the tables name, what the draft makes of it,
and the accuracy on 400 photos that were held out, without decisions and with those drafted.
"""

import argparse
import csv
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pillow_heif
from PIL import Image

ROOT = Path(__file__).parents[1]
CLASSES = {
    ("cat", "RGB"): ("chat", 620),
    ("cat", "L"): ("chat grisé", 280),
    ("dog", "RGB"): ("chien", 430),
    ("dog", "L"): ("chien grisé", 170),
}
"""An animal, and its colours: the name of the class, and how many photos of it there are."""
WRONG, COPIES, OF_THEM_ELSEWHERE, HEIC, ACCENTED, BROKEN, HELD_OUT = 75, 40, 14, 25, 20, 5, 100
NAME, SEED = "pets", 7


@dataclass(frozen=True)
class Planted:
    """A photo.

    Attributes:
        path: In the folder.
        name: Of its true class.
        source: Where in the archive it is from.
    """

    path: str
    name: str
    source: str

    @property
    def is_wrong(self) -> bool:
        """Whether it lies in the folder of another class."""
        return plain(self.path).partition("/")[0] != self.name


def main() -> None:
    """Plant, look, decide, train and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--folder", type=Path, help="where all is made, and stays")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        planted, copies = plant(asked.archive, folder / "photos", folder / "held_out")
        project = folder / "project"
        run(folder, "git", "clone", "--quiet", str(ROOT), str(project))
        imago(project, "add", str(folder / "photos"), "--name", NAME)
        params = project / "params.yaml"
        without = params.read_text("utf-8")
        (features,) = [
            line.strip(" :\n")
            for line in without.splitlines()
            if line.strip().startswith(f"{NAME}224_")
        ]
        run(project, "dvc", "repro", "--quiet", f"inspect@{features}")
        seen(project / "reports/data" / features, planted, copies)
        imago(project, "decide", NAME)
        drafted(project / "decisions" / f"{NAME}.csv", planted)
        for arm, text in (("without", without), ("drafted", params.read_text("utf-8"))):
            found = list(scores(project, text, asked.seeds, folder / "held_out"))
            mean, listed = statistics.mean(found), ", ".join(f"{100 * one:.2f}" for one in found)
            print(f"accuracy, {arm}: {100 * mean:.2f} % ({listed})", flush=True)


def plain(path: str) -> str:
    """Return a path in Unicode's form NFC."""
    return unicodedata.normalize("NFC", path)


def plant(archive: Path, folder: Path, held_out: Path) -> tuple[list[Planted], list[set[str]]]:
    """Write the photos, and those that are held out; return them, and the pairs of one picture."""
    drawn = random.Random(SEED)
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.endswith(".jpg"))
        drawn.shuffle(names)
        of_animal = {
            animal: iter([name for name in names if f"/{animal}/" in name])
            for animal in ("cat", "dog")
        }
        photos = []
        for (animal, mode), (name, count) in CLASSES.items():
            for number in range(count + HELD_OUT):
                source = next(of_animal[animal])
                content = encoded(opened.read(source), mode)
                if number < count:
                    photos.append((name, source, content))
                else:
                    put(held_out / name / f"{number}.jpg", content)
    drawn.shuffle(photos)
    planted, pairs = [], []
    others = [name for name, _ in CLASSES.values()]
    for number, (name, source, content) in enumerate(photos):
        place = drawn.choice([one for one in others if one != name]) if number < WRONG else name
        stem = Path(source).stem.replace(".", "_")
        if number % (len(photos) // ACCENTED) == 0:
            stem = unicodedata.normalize("NFD" if number % 2 else "NFC", f"été {stem}")
        suffix = ".heic" if WRONG <= number < WRONG + HEIC else ".jpg"
        path = f"{unicodedata.normalize('NFD', place)}/{stem}{suffix}"
        put(folder / path, as_heic(content) if suffix == ".heic" else content)
        planted.append(Planted(path, name, source))
    for number, one in enumerate(planted[WRONG + HEIC : WRONG + HEIC + COPIES]):
        place = one.name
        if number < OF_THEM_ELSEWHERE:
            place = drawn.choice([name for name in others if name != one.name])
        path = f"{unicodedata.normalize('NFD', place)}/copy_{number}.jpg"
        put(folder / path, smaller((folder / one.path).read_bytes()))
        pairs.append({plain(one.path), plain(path)})
    for number in range(BROKEN):
        content = photos[number][2]
        put(folder / f"chien/broken_{number}.jpg", content[: number * len(content) // 9])
    return planted, pairs


def put(path: Path, content: bytes) -> None:
    """Write a file, and the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def encoded(content: bytes, mode: str) -> bytes:
    """Return a photo as it is, or without its colours."""
    if mode == "RGB":
        return content
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).convert(mode).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def smaller(content: bytes) -> bytes:
    """Return a photo at 0.7 of its size, compressed anew."""
    photo, buffer = Image.open(io.BytesIO(content)), io.BytesIO()
    sides = [max(1, side * 7 // 10) for side in photo.size]
    photo.resize((sides[0], sides[1])).save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def as_heic(content: bytes) -> bytes:
    """Return a photo as phones store it."""
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(buffer, "HEIF", quality=85)
    return buffer.getvalue()


def seen(folder: Path, planted: list[Planted], copies: list[set[str]]) -> None:
    """Say what of the planted faults the tables name."""
    suspects = [plain(path) for path in pd.read_csv(folder / "suspects.csv")["path"]]
    wrong = {plain(one.path) for one in planted if one.is_wrong}
    first = wrong & set(suspects[: 2 * len(wrong)])
    found = pd.read_csv(folder / "duplicates.csv")
    pairs = [
        {plain(one), plain(other)}
        for one, other in zip(found["path"], found["other_path"], strict=True)
    ]
    with (folder / "left_out.csv").open(encoding="utf-8", newline="") as file:
        broken = [row["path"] for row in csv.DictReader(file) if "broken_" in row["path"]]
    print(
        f"{len(suspects)} suspects; {len(first)} of {len(wrong)} wrong labels are among the first "
        f"{2 * len(wrong)}; {sum(pair in pairs for pair in copies)} of {len(copies)} copies and "
        f"{len(broken)} of {BROKEN} broken files are named",
        flush=True,
    )


def drafted(table: Path, planted: list[Planted]) -> None:
    """Say what the draft makes of the labels."""
    known = {plain(one.path): one for one in planted}
    kinds = ("put right", "put wrong again", "dropped", "right ones changed", "right ones dropped")
    counts = dict.fromkeys(kinds, 0)
    for row in pd.read_csv(table, keep_default_na=False).to_dict("records"):
        one = known.get(plain(row["photo"]))
        if one is None or row["why"].startswith(("one picture", "the same picture")):
            continue
        is_label = row["decision"] == "label"
        if one.is_wrong and is_label:
            counts["put right" if plain(row["label"]) == one.name else "put wrong again"] += 1
        elif one.is_wrong:
            counts["dropped"] += 1
        else:
            counts["right ones changed" if is_label else "right ones dropped"] += 1
    print("draft: " + ", ".join(f"{count} {what}" for what, count in counts.items()), flush=True)


def scores(project: Path, text: str, seeds: list[int], held_out: Path) -> Iterator[float]:
    """Yield the accuracy on the photos that were held out, for each seed."""
    params = project / "params.yaml"
    for seed in seeds:
        lines = [
            f"seed: {seed}" if line.startswith("seed:") else line for line in text.splitlines()
        ]
        params.write_text("\n".join([*lines, ""]), "utf-8")
        run(project, "dvc", "repro", "--quiet", f"export@{NAME}")
        said = imago(project, "score", NAME, str(held_out), "--json")
        yield float(json.loads(said)["metrics"]["accuracy"])


def imago(project: Path, *words: str) -> str:
    """Run a command of imago."""
    return run(project, sys.executable, "-m", "imago", *words)


def run(folder: Path, *words: str) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
