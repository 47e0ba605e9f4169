"""A usual script for photos of cats and dogs, for comparison with the pipeline.

    python -m bench.usual_cat_dog cat_dog.zip mobilenet_v2_1.0_no_top.weights.h5

A generator decodes and augments the photos anew in every epoch and feeds them through the frozen
backbone; the test photos are scored after each epoch. Prints the accuracy after the last, and the
seconds from the zip on; TensorFlow's import comes before, so whole processes are timed outside.
"""

import json
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from tensorflow.keras import Sequential, layers, optimizers
from tensorflow.keras.applications import mobilenet_v2
from tensorflow.keras.preprocessing.image import ImageDataGenerator

SIZE_PX, BATCH_SIZE, EPOCHS = 128, 32, 5


def main(archive: str, weights: str) -> None:
    """Unzip, train, evaluate, print."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        accuracy = train_and_evaluate(Path(folder), weights)
    print(json.dumps({"accuracy": accuracy, "seconds": time.perf_counter() - start}))


def train_and_evaluate(photos: Path, weights: str) -> float:
    """Return the accuracy on the test photos."""
    augmented = ImageDataGenerator(
        rotation_range=7,
        zoom_range=0.2,
        horizontal_flip=True,
        preprocessing_function=mobilenet_v2.preprocess_input,
    )
    plain = ImageDataGenerator(preprocessing_function=mobilenet_v2.preprocess_input)
    size = (SIZE_PX, SIZE_PX)
    train = augmented.flow_from_directory(
        split(photos, "training_set"), target_size=size, batch_size=BATCH_SIZE
    )
    test = plain.flow_from_directory(
        split(photos, "test_set"), target_size=size, batch_size=BATCH_SIZE, shuffle=False
    )
    model = build(weights, train.num_classes)
    history = model.fit(train, epochs=EPOCHS, validation_data=test, verbose=2)
    return history.history["val_accuracy"][-1]


def split(photos: Path, name: str) -> Path:
    """Find the innermost folder `name`, which holds a folder for each class."""
    return max(photos.rglob(name), key=lambda folder: len(folder.parts))


def build(weights: str, classes: int) -> tf.keras.Model:
    """Put a head of two dense layers on the frozen backbone."""
    backbone = mobilenet_v2.MobileNetV2(
        include_top=False, weights=None, input_shape=(SIZE_PX, SIZE_PX, 3)
    )
    backbone.load_weights(weights)
    backbone.trainable = False
    model = Sequential(
        [
            backbone,
            layers.GlobalAveragePooling2D(),
            layers.Dense(641, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(641, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main(*sys.argv[1:])
