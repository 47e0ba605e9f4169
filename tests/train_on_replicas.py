"""Train the same model on one and on two CPU devices, and print how far their weights differ.

Run by test_training.py from the repository's root.
"""

import sys

sys.path[:0] = [".", "tests"]

import conftest
import numpy as np
import tensorflow as tf
from test_training import BATCH, NoCheckpoint, build, weights

from imago import training

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
blobs = conftest.blobs.__wrapped__()
strategies = [
    tf.distribute.get_strategy(),
    tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
]
models = []
for strategy in strategies:
    with strategy.scope():
        model = build()
    training.fit(
        model,
        blobs,
        blobs,
        epochs=3,
        batch_size=BATCH,
        seed=5,
        jit_compile=True,
        checkpoint=NoCheckpoint(),
        strategy=strategy,
    )
    models.append(model)
difference = np.abs(weights(models[0]) - weights(models[1])).max()
print(difference, int(models[1].optimizer.iterations.numpy()))
