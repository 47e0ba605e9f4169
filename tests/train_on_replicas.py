"""Train the same model on one and on two CPU devices, and print how far their weights differ.

    python -m tests.train_on_replicas graph|xla

A program of its own, since TensorFlow fixes the number of devices when it starts; test_training.py
runs it.
"""

import sys

import numpy as np
import tensorflow as tf

from imago.training import loop
from tests.test_training import BATCH, NoCheckpoint, build, make_blobs, weights

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
blobs = make_blobs()
strategies = [
    tf.distribute.get_strategy(),
    tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
]
models = []
for strategy in strategies:
    plan = loop.Plan(epochs=3, batch_size=BATCH, seed=5, jit_compile=sys.argv[1] == "xla")
    with strategy.scope():
        model = build()
        loop.fit(model, blobs, blobs, plan, NoCheckpoint())
    models.append(model)
difference = np.abs(weights(models[0]) - weights(models[1])).max()
print(difference, int(models[1].optimizer.iterations.numpy()))
