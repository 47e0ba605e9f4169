"""Train a small convolutional net, in each of the processes that TF_CONFIG names.

    python -m tests.train_together FOLDER [dropout] [killed]

FOLDER holds the state of the training. Prints JSON: the history and the sum of each weight. With
`dropout` it is asked instead whether two replicas drop the same; with `killed` it ends as by a
kill before the third epoch. test_devices.py runs it.
"""

import json
import os
import signal
import sys
from pathlib import Path

from imago.runtimes import quiet_tensorflow  # isort: skip # noqa: F401
import keras
import numpy as np
import tensorflow as tf

from imago.data.arrays import Split
from imago.runtimes import determinism
from imago.training import devices, loop
from imago.training.checkpoints import FileCheckpoint, SharedCheckpoint

folder, options = Path(sys.argv[1]), sys.argv[2:]
determinism.enable(3)
strategy = devices.strategy()


class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


def build() -> keras.Model:
    layers = [
        keras.Input((8, 8, 1), dtype="uint8"),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, use_bias=False),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
    return model


def do_halves_drop_the_same() -> bool:
    with strategy.scope():
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])

        @tf.function(autograph=False)
        def both() -> tf.Tensor:
            dropped = strategy.run(lambda: model(tf.ones((1, 64)), training=True))
            return strategy.gather(dropped, axis=0)

        with devices.as_one(model, strategy):
            first, second = np.asarray(both())
    return bool((first == second).all())


def train() -> dict[str, object]:
    generator = np.random.default_rng(7)
    labels = generator.integers(0, 3, 320, dtype=np.int32)
    noise = generator.integers(0, 60, (320, 8, 8, 1))
    split = Split((noise + labels[:, None, None, None] * 90).astype(np.uint8), labels)
    is_shared = strategy.num_replicas_in_sync > 1
    checkpoint = SharedCheckpoint(folder, strategy) if is_shared else FileCheckpoint(folder / "one")
    callbacks = [Kill()] if "killed" in options else []
    plan = loop.Plan(epochs=4, batch_size=32, seed=5, jit_compile=False)  # of ten steps
    with strategy.scope():
        model = build()
        history = loop.fit(model, split, split, plan, checkpoint, callbacks)
    checkpoint.remove()
    return {"history": history, "weights": [float(np.sum(w)) for w in model.get_weights()]}


if "dropout" in options:
    print(json.dumps({"equal_halves": do_halves_drop_the_same()}))
else:
    print(json.dumps(train()))
