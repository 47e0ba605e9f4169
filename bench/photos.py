"""Photos: decoding and resizing, embedding, and the memory of prepare.

    python -m bench.photos cat_dog.zip mobilenet_v2_1.0_no_top.weights.h5 [--rounds N]

Ours against plain Keras, by turns, on the same photos: `image_dataset_from_directory` for decoding
and resizing, `predict` for embedding; and of 12 megapixels, ours against decoding them whole, as
`prepare` needs them and as `extract` does. Then the peak memory of `python -m stages.prepare` on
the photos once, four times and sixteen times.
"""

import argparse
import functools
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from bench import cat_dog
from imago.backbones import mobilenet_v2
from imago.core import paths
from imago.data import arrays, provenance, writing
from imago.images import forms
from imago.photos import decoding, fingerprints, packs
from imago.photos.decoding import Shrinking
from imago.preparing import conversion
from imago.runtimes import inference
from stages import backbone

MEGAPIXELS, LARGE_PHOTOS = (4000, 3000), 24
FORM = forms.Form((128, 128, 3), "stretch", "area")
TIMES = (1, 4, 16)
STAGE = """
import importlib, pathlib, re, sys
importlib.import_module(f"stages.{sys.argv[1]}").main(sys.argv[2])
status = pathlib.Path("/proc/self/status").read_text()
print(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""
Photos = dict[arrays.SplitName, tuple[NDArray[np.int32], list[bytes]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    archive, weights = arguments.archive.resolve(), arguments.weights.resolve()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        cat_dog.create(project, archive, weights)
        for stage in ("fetch", "extract"):
            run_stage(project, stage, "cat_dog")
        with zipfile.ZipFile(archive) as file:
            file.extractall(project / "unzipped")
        extracted = project / paths.extracted("cat_dog")
        compare("decode and resize", arguments.rounds, *decoders(project, extracted))
        for title, looks in large(extracted).items():
            compare(f"12 megapixels, {title}", arguments.rounds, *looks, other="whole")
        compare("embed", arguments.rounds, *embedders(extracted, weights))
        photos = read(extracted)
        for times in TIMES:
            print(f"prepare, {times:2} times the photos: {peak_mb(project, photos, times):.0f} MB")


def compare(
    title: str,
    rounds: int,
    ours: Callable[[], int],
    plain: Callable[[], int],
    other: str = "plain Keras",
) -> None:
    """Time two ways of going through the same images, by turns."""
    rates = []
    for number in range(rounds):
        sides = {"ours": ours, "plain": plain}
        order = reversed(sides) if number % 2 else sides
        rate = {side: per_second(sides[side]) for side in order}
        rates.append((rate["ours"], rate["plain"]))
    ratios = sorted(ours / plain for ours, plain in rates)
    ours_rate, plain_rate = (statistics.median(side) for side in zip(*rates, strict=True))
    print(
        f"{title}: {other} {plain_rate:.0f} images/s, imago {ours_rate:.0f}, "
        f"ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})",
        flush=True,
    )


def per_second(action: Callable[[], int]) -> float:
    """Return the images a second of an action that returns how many images it went through."""
    start = time.perf_counter()
    return action() / (time.perf_counter() - start)


def decoders(project: Path, extracted: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """Decode and resize all training photos, on all cores."""
    photos = packs.read_images(extracted, "train", FORM.shrinking)
    (folder,) = (project / "unzipped").rglob("training_set")
    height, width, _ = FORM.shape

    def ours() -> int:
        return sum(map(len, conversion.converted(photos, np.arange(len(photos)), FORM)))

    def plain() -> int:
        batches = keras.utils.image_dataset_from_directory(
            folder, image_size=(height, width), labels=None, verbose=False
        )
        return sum(len(batch) for batch in batches)

    return ours, plain


def large(extracted: Path) -> dict[str, tuple[Callable[[], int], Callable[[], int]]]:
    """Return ways to decode photos that were enlarged, as far as is needed and whole, on a core."""
    photos = packs.read_images(extracted, "train")
    contents = [enlarged(photos[row]) for row in range(LARGE_PHOTOS)]

    def prepared(shrinking: Shrinking) -> int:
        decoded = (decoding.decode_for(one, sys.maxsize, shrinking) for one in contents)
        return len([forms.convert(one.pixels, FORM) for one in decoded])

    def looked_at(shrinking: Shrinking) -> int:
        decoded = (decoding.decode_for(one, sys.maxsize, shrinking) for one in contents)
        return len([fingerprints.fingerprint(one.pixels) for one in decoded])

    return {
        "as in prepare": (
            functools.partial(prepared, FORM.shrinking),
            functools.partial(prepared, decoding.whole),
        ),
        "as in extract": (
            functools.partial(looked_at, fingerprints.shrinking),
            functools.partial(looked_at, decoding.whole),
        ),
    }


def enlarged(photo: NDArray[np.uint8]) -> bytes:
    """Return a photo as a JPEG of 12 megapixels, with a little noise, as cameras have it."""
    large = cv2.resize(photo[..., ::-1], MEGAPIXELS, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(1).integers(-6, 7, large.shape, np.int16)
    noisy = np.clip(large + noise, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def embedders(extracted: Path, weights: Path) -> tuple[Callable[[], int], Callable[[], int]]:
    """Compute the features of 1,000 photos."""
    photos = packs.read_images(extracted, "train", FORM.shrinking)
    pixels = np.concatenate(list(conversion.converted(photos, np.arange(1000), FORM)))
    model = backbone.frozen(mobilenet_v2.build("MobileNetV2", FORM.shape, weights), "average")
    runtime = inference.Runtime.litert(inference.to_litert(model))
    model.predict(pixels[:32], verbose=0)  # traces

    def ours() -> int:
        return sum(map(len, runtime.outputs(pixels, lambda _: None)))

    def plain() -> int:
        return len(model.predict(pixels, batch_size=32, verbose=0))

    return ours, plain


def peak_mb(project: Path, photos: Photos, times: int) -> float:
    """Return the most memory that prepare holds, with each photo so many times."""
    with writing.splits(project / paths.extracted("cat_dog"), ("cat", "dog"), None) as writer:
        for split, (labels, contents) in photos.items():
            packs.add(writer, split, np.tile(labels, times), contents * times)
        provenance.carry(project / paths.extracted("cat_dog"), writer.folder)
    return run_stage(project, "prepare", "cat_dog128") / 1024


def read(extracted: Path) -> Photos:
    """Return the labels and the encoded photos of each split."""
    return {
        split: (np.array(arrays.read_labels(extracted, split)), list(encoded(extracted / split)))
        for split in arrays.read_info(extracted).splits
    }


def encoded(folder: Path) -> Iterator[bytes]:
    """Return the photos of a pack as they are stored."""
    offsets = np.load(folder / packs.OFFSETS)
    pack = (folder / packs.PACK).read_bytes()
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        yield pack[start:end]


def run_stage(project: Path, stage: str, name: str) -> int:
    """Run a stage in a process of its own and give its greatest resident memory in kB."""
    found = subprocess.run(
        [sys.executable, "-c", STAGE, stage, name],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(found.stdout.split()[-1])


if __name__ == "__main__":
    main()
