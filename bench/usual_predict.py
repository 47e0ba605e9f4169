"""What one writes to use a trained model with plain Keras: load, decode, predict, print.

python -m bench.usual_predict MODEL.keras IMAGE_OR_FOLDER
"""

import sys
from pathlib import Path

import keras
import numpy as np


def main() -> None:
    """Print a line for each image: its path, the most probable class, its probability."""
    model = keras.saving.load_model(sys.argv[1])
    _, height, width, channels = model.input_shape
    given = Path(sys.argv[2])
    files = sorted(p for p in given.rglob("*") if p.is_file()) if given.is_dir() else [given]
    images = [
        keras.utils.img_to_array(
            keras.utils.load_img(
                file,
                color_mode="rgb" if channels == 3 else "grayscale",
                target_size=(height, width),
                interpolation="bilinear",
            ),
            dtype="uint8",
        )
        for file in files
    ]
    probabilities = model.predict(np.stack(images), batch_size=32, verbose=0)
    for file, row in zip(files, probabilities, strict=True):
        print(f"{file},{row.argmax()},{row.max():.6f}")


if __name__ == "__main__":
    main()
