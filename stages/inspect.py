"""Look at a data set by a backbone's eyes: its classes, copies, and labels that are probably wrong.

All splits are looked at, the test split too: what is found is for people, and no model learns it.

Reads   data/prepared/<variant>, data/features/<features>, data/backbones/<backbone>, params.yaml
Writes  reports/data/<features>: index.html, counts.csv, duplicates.csv, suspects.csv,
        left_out.csv
"""

import array
import contextlib
import itertools
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imago import params
from imago.core import files, paths, progress, stage
from imago.data import arrays, index, provenance
from imago.inspecting import duplicates, page, suspects, tables, thumbnails
from imago.inspecting.tables import Photos
from imago.photos import fingerprints
from imago.runtimes import frozen

SPLITS: tuple[arrays.SplitName, ...] = ("train", "validation", "test")

log = logging.getLogger("imago.stages.inspect")


def main(name: str) -> None:
    """Inspect the data set whose features params.yaml has under features.<name>.

    Raises:
        DataError: The variant, the features or the backbone is missing or damaged.
        ParamsError: params.yaml breaks a rule.
    """
    whole = params.load()
    settings = params.pick(whole.features, "features", name)
    prepared, backbone = paths.prepared(settings.variant), paths.backbone(settings.backbone)
    arrays.verify(prepared, *SPLITS)
    images = _originals(prepared)
    photos = _photos(prepared, images)
    with _on_disk(_features(name, backbone, images)) as features:
        found = _look(photos, images, features, whole.seed)
    left_out = provenance.set_aside(prepared)
    found["left_out"] = pd.DataFrame(left_out, columns=["path", "reason"])
    html = page.render(
        provenance.read(prepared)["dataset"]["name"],
        photos,
        found,
        lambda row: thumbnails.data_uri(_image(images, row)),
        f"Likeness and suspicion are as {whole.backbones[settings.backbone].net} sees them.",
    )
    _write(paths.inspection(name), found, html)
    log.info("%s: %s; see %s", name, tables.summary(found), paths.inspection(name) / "index.html")


def _originals(folder: Path) -> dict[arrays.SplitName, arrays.Split]:
    """Map the images of each split, or their features, without augmented copies."""
    info = arrays.read_info(folder)
    found = {}
    for split in SPLITS:
        if split in info.splits:
            whole, step = arrays.read_split(folder, split), info.step(split)
            # Without need no view, of which a cluster is sent the pixels instead of their place.
            found[split] = (
                arrays.Split(whole.images[::step], whole.labels[::step]) if step > 1 else whole
            )
    return found


def _photos(prepared: Path, images: Mapping[arrays.SplitName, arrays.Split]) -> Photos:
    named, sizes = [], array.array("i")
    for row in itertools.chain(*(index.rows(prepared, split) for split in images)):
        named.append(row["path"])
        sizes.extend((int(row["width_px"]), int(row["height_px"])))
    if not named:
        rows = ((split, row) for split, one in images.items() for row in range(len(one.labels)))
        named = [f"{split} #{row}" for split, row in rows]
    return Photos(
        classes=arrays.read_info(prepared).classes,
        splits=[split for split, one in images.items() for _ in one.labels],
        files=named,
        labels=np.concatenate([one.labels for one in images.values()]),
        sizes=np.array(sizes, np.int32).reshape(-1, 2),
    )


@contextlib.contextmanager
def _on_disk(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yield blocks, (n, F), as one array, mapped from a file without a name."""
    paths.WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.WORK) as file:
        with files.naming_full_disk(paths.WORK):
            for block in blocks:
                file.write(np.ascontiguousarray(block).data)
            file.flush()
        whole = np.memmap(file, np.float32, "r")
        yield whole.reshape(-1, block.shape[-1])


def _features(
    name: str, backbone: Path, images: Mapping[arrays.SplitName, arrays.Split]
) -> Iterator[NDArray[np.float32]]:
    """Yield the features of all splits in blocks; those of the test split are computed here."""
    there = _originals(paths.features(name))
    for split, one in images.items():
        if split in there:
            yield from arrays.blocks(there[split].images)
        else:
            net = frozen.read(backbone, one.images.shape[1:], len(one.images))
            with progress.bar(f"{name}: {split} features", len(one.labels), "images") as advance:
                yield from net.runtime.outputs(one.images, advance, net.elsewhere)


def _image(images: Mapping[arrays.SplitName, arrays.Split], row: int) -> NDArray[np.uint8]:
    """Return an image, (H, W, 3) uint8, by its position among those of all splits."""
    for one in images.values():
        if row < len(one.labels):
            return np.broadcast_to(one.images[row], (*one.images.shape[1:3], 3))
        row -= len(one.labels)
    raise IndexError(row)


def _look(
    photos: Photos,
    images: Mapping[arrays.SplitName, arrays.Split],
    features: NDArray[np.float32],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return the tables of what was found."""
    every = (np.asarray(image) for one in images.values() for image in one.images)
    prints = fingerprints.table(map(fingerprints.fingerprint, every), len(photos.labels))
    pairs = duplicates.pairs(prints, tables.kinds(photos), features)
    pictures = duplicates.pictures(len(prints), pairs)
    with progress.bar("ask a classifier", len(prints), "images") as advance:
        wrong = suspects.suspected(features, photos.labels, pictures, seed, advance)
    return {
        "counts": tables.counts(photos),
        "duplicates": tables.duplicates(photos, pairs),
        "suspects": tables.suspects(photos, wrong),
    }


def _write(folder: Path, found: Mapping[str, pd.DataFrame], html: str) -> None:
    with files.replacing(folder) as temporary:
        temporary.mkdir()
        for kind, table in found.items():
            kept = table.drop(columns=["row", "other_row"], errors="ignore")
            files.write_csv(temporary / f"{kind}.csv", kept)
        files.write_text(temporary / "index.html", html)


if __name__ == "__main__":
    stage.run(main, __doc__)
