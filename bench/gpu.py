"""What a GPU makes of trainings and of features, on images of random pixels.

    python -m bench.gpu [WEIGHTS]

Each line is one thing in two or more ways, in one run. WEIGHTS is a file of MobileNetV2's; without
one the features are not measured.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from bench.trainings import NoCheckpoint
from imago.backbones import mobilenet_v2
from imago.core.sections import Precision
from imago.data.arrays import Split
from imago.models import cnn
from imago.runtimes import determinism, inference
from imago.training import loop, optimizers, precision
from stages.backbone import frozen

CNN = {
    "model": "cnn",
    "normalization": "rescale",
    "filters": [32, 64, 64],
    "kernel_size_px": 3,
    "pooling_size_px": 2,
    "dense_units": [64],
    "dropout": 0.0,
    "batch_normalization": False,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "epochs": 3,
    "jit_compile": "auto",
}
"""As in the recipe cifar10_cnn."""
SHAPE = (128, 128, 3)
STREAMED_BYTES = 8 * 2**30


def main() -> None:
    """Print what is measured, line by line."""
    parser = argparse.ArgumentParser(description="Measure trainings and features on a GPU.")
    parser.add_argument("weights", nargs="?", type=Path)
    weights = parser.parse_args().weights
    print(tf.config.list_physical_devices("GPU") or "no GPU")
    determinism.enable(0)
    images = random_images(50_000, (32, 32, 3))
    split = Split(images, np.arange(len(images), dtype=np.int32) % 10)
    for is_compiled in (False, True):
        print(f"cnn, XLA {is_compiled}: {epoch_s(split, is_compiled):.2f} s an epoch")
    for kind in ("float32", "mixed_bfloat16", "mixed_float16"):
        for batch_size in (32, 512):
            seconds = epoch_s(split, True, kind, batch_size)
            print(f"cnn, XLA, {kind}, batches of {batch_size}: {seconds:.2f} s an epoch")
    with tempfile.TemporaryDirectory() as folder:
        streamed(Path(folder) / "images")
    if weights:
        features(weights)


def random_images(count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return (count, *shape) uint8."""
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def epoch_s(
    split: Split, is_compiled: bool, kind: Precision = "float32", batch_size: int = 32
) -> float:
    """Train a convolutional net, and return the seconds of an epoch after the first."""
    settings = cnn.Settings.model_validate(CNN | {"batch_size": batch_size})
    model = cnn.build(settings, split.images.shape[1:], 10, None)  # type: ignore[arg-type]
    with precision.applied(model, kind):
        steps = loop.steps_per_epoch(len(split.labels), batch_size)
        model.compile(optimizers.build(settings, steps))
        return fitted_s(model, split, batch_size, is_compiled)


def fitted_s(model: keras.Model, split: Split, batch_size: int, is_compiled: bool) -> float:
    """Fit a compiled model, and return the seconds of an epoch after the first."""
    times_s: list[float] = []
    listener = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: times_s.append(time.perf_counter()),
        on_train_end=lambda *_: times_s.append(time.perf_counter()),
    )
    plan = loop.Plan(epochs=3, batch_size=batch_size, seed=1, jit_compile=is_compiled)
    loop.fit(model, split, None, plan, NoCheckpoint(), [listener])
    return float(min(np.diff(times_s)[1:]))


def streamed(path: Path) -> None:
    """Train on more images than are kept on a GPU."""
    count = STREAMED_BYTES // int(np.prod(SHAPE))
    with path.open("wb") as file:
        file.truncate(count * int(np.prod(SHAPE)))
    images = np.memmap(path, np.uint8, "r", 0, (count, *SHAPE))
    for is_compiled in (False, True):
        pixels = keras.Input(SHAPE, dtype="uint8")
        means = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(pixels))
        head = keras.layers.Dense(2, activation="softmax")
        model = keras.Model(pixels, head(keras.layers.Flatten()(means)))
        model.compile(keras.optimizers.SGD(0.01))
        if tf.config.list_physical_devices("GPU"):
            tf.config.experimental.reset_memory_stats("GPU:0")
        seconds = fitted_s(model, Split(images, np.zeros(count, np.int32)), 256, is_compiled)
        told = f"8 GiB from a file, XLA {is_compiled}: {count / seconds:,.0f} images a second"
        if tf.config.list_physical_devices("GPU"):
            peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
            told += f", at most {peak / 2**20:,.0f} MiB on the GPU"
        print(told)


def features(weights: Path) -> None:
    """Compute MobileNetV2's features at 128 px."""
    net = frozen(mobilenet_v2.build("MobileNetV2", SHAPE, weights), "average")
    images = random_images(32_768, SHAPE)
    ways = {"plain": inference.Runtime.tensorflow, "XLA": inference.Runtime.gpu}
    for name, way in ways.items():
        print(f"features, {name}: {images_per_s(way(net), images):,.0f} images a second")


def images_per_s(runtime: inference.Runtime, images: np.ndarray) -> float:
    """Run a model over images, twice, and count the second time."""
    told: Callable[[int], object] = lambda _: None  # noqa: E731
    list(runtime.outputs(images[: runtime.images_per_call], told))
    start_s = time.perf_counter()
    list(runtime.outputs(images, told))
    return len(images) / (time.perf_counter() - start_s)


if __name__ == "__main__":
    main()
