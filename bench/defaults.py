"""What `imago add` chooses against the recipe as it is, on six small sets of photos.

    python -m bench.defaults cat_dog.zip cifar10_jpeg.zip [--seeds 5] [--only SET ...]

The archives have folders training_set and test_set, and train and test. A seed draws other training
photos and is that of the training. The photos on which both sides are scored, some hundred of each
class, were never in what `imago add` gets: they are of the archives' test folders. Both sides run
through the stages, in one process; the score is balanced accuracy, the mean recall of the classes.
Of what is chosen it also says how certain the model is, and how often it answers and is right then.
"""

import argparse
import contextlib
import functools
import re
import shutil
import statistics
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from imago import params
from imago.core import paths, sections
from imago.data import arrays
from imago.exports import unsure
from imago.exports.unsure import Limits
from imago.images import forms
from imago.preparing import conversion
from imago.project import add, defaults
from imago.runtimes import frozen
from imago.runtimes.certainty import distance
from imago.sweep import crossvalidation
from imago.training import certainty, out_of_fold
from stages import backbone, embed, extract, fetch, fetch_weights, prepare

ROOT = Path(__file__).parents[1]
NAME, WEIGHTS = "photos", "efficientnet_lite0"
PETS, ANIMALS = ("cat", "dog"), ("cat", "dog", "deer", "horse")
THINGS = (
    *("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
)
BURST = 5

Photo = NDArray[np.uint8]
Change = Callable[[Photo, np.random.Generator], list[Photo]]


def as_it_is(photo: Photo, _: np.random.Generator) -> list[Photo]:
    """Return the photo."""
    return [photo]


def grey(photo: Photo, _: np.random.Generator) -> list[Photo]:
    """Return it without its colours, in one channel."""
    return [np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8)]


def oblong(photo: Photo, generator: np.random.Generator) -> list[Photo]:
    """Return its middle at an end of a ground three times as long, of its blurred edge."""
    side = min(photo.shape[:2])
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    subject = photo[top : top + side, left : left + side]
    ends = [0, 0, 0, 0]
    ends[int(generator.integers(4))] = 2 * side
    ground = cv2.copyMakeBorder(subject, *ends, cv2.BORDER_REPLICATE)
    small = cv2.resize(ground, None, fx=0.05, fy=0.05, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), 1.5)
    whole = cv2.resize(blurred, ground.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    whole[ends[0] : ends[0] + side, ends[2] : ends[2] + side] = subject
    return [np.asarray(whole, np.uint8)]


def burst(photo: Photo, generator: np.random.Generator) -> list[Photo]:
    """Return it with copies that are a little shifted, lighter or darker."""
    copies = [photo]
    height, width = photo.shape[:2]
    for _ in range(BURST - 1):
        x, y = generator.integers(0, 9, 2).tolist()
        moved = photo[y : height - 8 + y, x : width - 8 + x].astype(np.float32)
        copies.append((moved + generator.uniform(-6, 6)).clip(0, 255).astype(np.uint8))
    return copies


@dataclass(frozen=True)
class Kind:
    """A kind of set of photos.

    Attributes:
        of_pets: Whether they are of the first archive, else of the second.
        classes: And how many photos of each are drawn for training.
        held_out: Of each class, to score on.
        change: What is made of a photo.
    """

    of_pets: bool
    classes: dict[str, int]
    held_out: int
    change: Change = as_it_is


SETS = {
    "unequal": Kind(False, dict(zip(ANIMALS, (300, 120, 40, 20), strict=True)), 75),
    "oblong": Kind(True, dict.fromkeys(PETS, 100), 100, oblong),
    "sixty": Kind(True, dict.fromkeys(PETS, 30), 150),
    "many": Kind(False, dict.fromkeys(THINGS, 30), 40),
    "bursts": Kind(True, dict.fromkeys(PETS, 20), 150, burst),
    "grey": Kind(True, dict.fromkeys(PETS, 100), 100, grey),
}


@dataclass(frozen=True)
class Head:
    """A head that has learnt.

    Attributes:
        form: Of the images.
        backbone: The folder of its net.
        weights: (F, K) and (K,).
        neighbors: (M, F), where the model may be unsure.
        limits: Between which it answers.
    """

    form: forms.Form
    backbone: Path
    weights: list[NDArray[np.float32]]
    neighbors: NDArray[np.float32] | None
    limits: Limits


class Photos:
    """The photos of the two archives, those for training apart from those to score on."""

    def __init__(self, pets: Path, things: Path) -> None:
        self._pets, self._things = zipfile.ZipFile(pets), zipfile.ZipFile(things)

    def names(self, kind: Kind, name: str, *, test: bool) -> list[str]:
        """Return the paths of the photos of a class."""
        split = ("test_set" if test else "training_set") if kind.of_pets else "test"
        if not kind.of_pets and not test:
            split = "train"
        archive = self._pets if kind.of_pets else self._things
        found = [one for one in archive.namelist() if f"{split}/{name}/" in one and one[-1] != "/"]
        # The rules were chosen by looking at others of the training photos.
        return sorted(found) if test else sorted(found)[::2] if kind.of_pets else found[1000:]

    def read(self, kind: Kind, name: str) -> Photo:
        """Decode one, BGR."""
        content = (self._pets if kind.of_pets else self._things).read(name)
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(pixels, np.uint8)

    def pack(self, kind: Kind, seed: int, path: Path) -> None:
        """Write the zip that `imago add` gets."""
        generator = np.random.default_rng([41, seed])
        with zipfile.ZipFile(path, "w") as archive:
            for name, count in kind.classes.items():
                drawn = generator.permutation(self.names(kind, name, test=False))[:count]
                for index, one in enumerate(drawn.tolist()):
                    for copy, photo in enumerate(kind.change(self.read(kind, one), generator)):
                        content = cv2.imencode(".jpg", photo)[1].tobytes()
                        archive.writestr(f"{name}/{index:04}_{copy}.jpg", content)

    def held_out(self, kind: Kind) -> Iterator[tuple[str, Photo]]:
        """Yield the photos to score on, with their classes, RGB."""
        generator = np.random.default_rng(43)
        for name in sorted(kind.classes):
            for one in self.names(kind, name, test=True)[: kind.held_out]:
                photo = kind.change(self.read(kind, one), generator)[0]
                code = cv2.COLOR_BGR2RGB if photo.ndim == 3 else cv2.COLOR_GRAY2RGB
                yield name, np.asarray(cv2.cvtColor(photo, code), np.uint8)


@contextlib.contextmanager
def project(built: Path, seed: int) -> Iterator[None]:
    """Work in an empty project, in which weights and backbones are there once they were made."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(ROOT / "recipes", "recipes")
        text = (ROOT / "params.yaml").read_text("utf-8")
        Path("params.yaml").write_text(re.sub(r"^seed: \d+", f"seed: {seed}", text, flags=re.M))
        Path("data").mkdir()
        for name in ("weights", "backbones"):
            (built / name).mkdir(exist_ok=True)
            Path("data", name).symlink_to(built / name)
        yield


def prepared(archive: Path, like: str | None) -> params.Experiment:
    """Run the stages that come before the training, and return the experiment."""
    shutil.copy(archive, f"{NAME}.zip")
    add.photos(Path(f"{NAME}.zip"), NAME, like)
    settings = params.load()
    chosen = settings.experiments[NAME]
    fetch.main(NAME)
    extract.main(NAME)
    prepare.main(chosen.variant)
    net = settings.features[chosen.features].backbone
    if not paths.weights(WEIGHTS).exists():
        fetch_weights.main(WEIGHTS)
    if not paths.backbone(net).exists():
        backbone.main(net)
    embed.main(chosen.features)
    return chosen


def trained_head(archive: Path, like: str | None, built: Path, seed: int) -> Head:
    """Run the stages, as far as to the head, which is not put onto its backbone."""
    with project(built, seed):
        chosen, settings = prepared(archive, like), params.load()
        form = conversion.form(settings.prepare[chosen.variant])
        net = settings.features[chosen.features].backbone
        wanted = settings.exports[chosen.export].unsure
        return Head(form, built / "backbones" / net, *_learnt(chosen, wanted, seed))


def _learnt(
    chosen: params.Experiment, unsure_where: sections.Unsure | None, seed: int
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32] | None, Limits]:
    """Return weights, neighbors and limits of the head, as the stages come to them."""
    folder, training = paths.data(chosen.input), chosen.train
    info, train = arrays.read_info(folder), arrays.read_split(folder, "train")
    build = functools.partial(crossvalidation.untrained, training, train, len(info.classes), seed)
    head = crossvalidation.learnt(training, train, len(info.classes), seed)
    neighbors, limits = None, Limits(None, None)
    if training.certainty and unsure_where:
        asked = out_of_fold.answers(build, training, train, info.views, [], seed)
        known = certainty.measure(head, train, info.views, asked, training.certainty, seed)
        neighbors, limits = known.neighbors, unsure.choose(known.validation, unsure_where)
    weights = head.get_weights()
    keras.utils.clear_session()
    return weights, neighbors, limits


class Score(NamedTuple):
    """What came of asking a head.

    Attributes:
        balanced_accuracy: The mean recall of the classes.
        accuracy: Share of right answers.
        probability: That it gives its answers, in the mean; as often it should be right.
        answered: Share of the photos of which it is not unsure.
        right_answered: Share of right answers among these.
    """

    balanced_accuracy: float
    accuracy: float
    probability: float
    answered: float
    right_answered: float


class HeldOut:
    """The photos that a kind is scored on, and their features in each form."""

    def __init__(self, photos: Photos, kind: Kind) -> None:
        names, self._photos = zip(*photos.held_out(kind), strict=True)
        _, self._labels = np.unique(names, return_inverse=True)
        self._features: dict[forms.Form, NDArray[np.float32]] = {}

    def score(self, head: Head) -> Score:
        """Ask a head about them."""
        form = head.form
        if form not in self._features:
            images = np.stack([forms.convert(photo, form) for photo in self._photos])
            net = frozen.read(head.backbone, form.shape)
            self._features[form] = np.concatenate(list(net.runtime.outputs(images, lambda _: None)))
        features = self._features[form]
        probabilities = np.asarray(keras.ops.softmax(features @ head.weights[0] + head.weights[1]))
        far = None if head.neighbors is None else np.asarray(distance(features, head.neighbors))
        hits = probabilities.argmax(axis=1) == self._labels
        kept = head.limits.keep(probabilities.max(axis=1), far)
        return Score(
            float(np.mean([hits[self._labels == label].mean() for label in set(self._labels)])),
            float(hits.mean()),
            float(probabilities.max(axis=1).mean()),
            float(kept.mean()),
            float(hits[kept].mean()) if kept.any() else float("nan"),
        )


def main() -> None:
    """Print a line for each set and seed, then the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pets", type=Path)
    parser.add_argument("things", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    photos, lines = Photos(arguments.pets.resolve(), arguments.things.resolve()), []
    with tempfile.TemporaryDirectory() as folder:
        built, archive = Path(folder, "built"), Path(folder, "photos.zip")
        built.mkdir()
        for name in arguments.only:
            held_out = HeldOut(photos, SETS[name])
            recipe, chosen = [], []
            for seed in range(1, arguments.seeds + 1):
                photos.pack(SETS[name], seed, archive)
                for like, found in ((defaults.RECIPE, recipe), (None, chosen)):
                    found.append(held_out.score(trained_head(archive, like, built, seed)))
                theirs, ours = recipe[-1].balanced_accuracy, chosen[-1].balanced_accuracy
                print(f"{name} seed {seed}: recipe {theirs:.4f}, chosen {ours:.4f}", flush=True)
            better = sum(
                ours.balanced_accuracy > theirs.balanced_accuracy
                for ours, theirs in zip(chosen, recipe, strict=True)
            )
            theirs = statistics.mean(one.balanced_accuracy for one in recipe)
            ours = Score(*map(statistics.mean, zip(*chosen, strict=True)))
            cells = [f"{theirs:.1%}", f"{ours.balanced_accuracy:.1%}", f"{better} of {len(chosen)}"]
            lines.append(" | ".join(["", name, *cells, *(f"{one:.1%}" for one in ours[1:]), ""]))
    heads = [
        "recipe",
        "chosen",
        "better in",
        "accuracy",
        "probability",
        "answered",
        "of these right",
    ]
    print(" | ".join(["", "set", *heads, ""]).strip())
    print("|---" * (1 + len(heads)) + "|")
    print("\n".join(line.strip() for line in lines))


if __name__ == "__main__":
    main()
