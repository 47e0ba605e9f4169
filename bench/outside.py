"""How often the code for places without imago gives imago's answer to a photo.

    python -m bench.outside EXPERIMENT FOLDER

EXPERIMENT has been exported, and FOLDER holds photos. The code is that of its report, in Python,
and those of docs/predict.md, in JavaScript, run in Chromium, and in Java, of what the JDK decodes.
Each brings every photo to pixels, which the model is then asked about as it is about the photo
itself. Printed is how many labels are the same, and how many probabilities are within 0.02.
"""

import argparse
import base64
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imago import Predictor
from imago.core import files, paths
from imago.reports import snippets
from tests import outside
from tests.browser import chromium

NEAR = 0.02
JAVASCRIPT = """
async ([code, content, side, fit]) => {
  const pixelsOf = new Function(code + "; return pixelsOf;")();
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  const pixels = await pixelsOf(new Blob([bytes]), side, fit);
  return btoa(Array.from(pixels, byte => String.fromCharCode(byte)).join(""));
}
"""
JAVA = """
import java.awt.image.BufferedImage;
import java.io.File;
import javax.imageio.ImageIO;

public final class Main {
    public static void main(String[] words) throws java.io.IOException {
        for (String name : new String(System.in.readAllBytes(), "UTF-8").split("\\n")) {
            BufferedImage photo = ImageIO.read(new File(name));
            int width = photo.getWidth(), height = photo.getHeight();
            int[] colors = photo.getRGB(0, 0, width, height, null, 0, width);
            int side = Integer.parseInt(words[0]);
            System.out.write(Photo.pixels(colors, width, height, side, words[1]));
        }
        System.out.flush();
    }
}
"""
Pixels = NDArray[np.uint8]
"""(N, side, side, 3)."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    photos = sorted(path.resolve() for path in chosen.folder.rglob("*.jpg"))
    predictor = Predictor(paths.export(chosen.experiment))
    taken = files.read_json(paths.export(chosen.experiment) / "model.json")["input"]
    side, fit = taken["shape"][1], taken["fit"]
    own = predictor.predict(photos)
    print(
        f"{chosen.experiment}: {len(photos):,} photos, {side} px, {fit}, {taken['interpolation']}"
    )
    ways: dict[str, Callable[[], Pixels]] = {
        "Python": lambda: python(photos, chosen.experiment, taken),
        "JavaScript": lambda: javascript(photos, side, fit),
        "Java": lambda: java(photos, side, fit),
    }
    for language, pixels in ways.items():
        found = predictor.predict(list(pixels()))
        pairs = list(zip(own, found, strict=True))
        same = sum(one.label == other.label for one, other in pairs)
        off = np.array([abs(one.probability - other.probability) for one, other in pairs])
        near = np.sum(off <= NEAR)
        print(f"{language}: {same:,} labels, {near:,} probabilities, at most {off.max():.3f} off")


def python(photos: Sequence[Path], experiment: str, taken: dict[str, object]) -> Pixels:
    """Run what the report shows, as far as pixels."""
    shape = list(taken["shape"])[1:]  # type: ignore[call-overload]
    card = {"experiment": experiment, "data": {"image_shape": shape}, "input": taken, "exports": {}}
    code, _, _ = snippets.of(card)["Keras"].partition("classes = ")
    found = []
    for photo in photos:
        names: dict[str, Pixels] = {}
        exec(code.replace("import keras\n", "").replace('"photo.png"', repr(str(photo))), names)
        found.append(names["pixels"][0])
    return np.array(found)


def javascript(photos: Sequence[Path], side: int, fit: str) -> Pixels:
    """Run what the docs show for a browser."""
    code = outside.code("js")
    with chromium() as browser:
        page = browser.new_page()
        page.goto("about:blank")
        contents = (base64.b64encode(photo.read_bytes()).decode() for photo in photos)
        found = [page.evaluate(JAVASCRIPT, [code, content, side, fit]) for content in contents]
    return _pixels(b"".join(map(base64.b64decode, found)), side)


def java(photos: Sequence[Path], side: int, fit: str) -> Pixels:
    """Run what the docs show for a phone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Photo.java").write_text(outside.code("java"), "utf-8")
        Path(folder, "Main.java").write_text(JAVA, "utf-8")
        sources = ["-encoding", "UTF-8", "Main.java", "Photo.java"]
        subprocess.run(["javac", *sources], cwd=folder, check=True)
        command = ["java", "Main", str(side), fit]
        told = "\n".join(map(str, photos)).encode()
        run = subprocess.run(command, cwd=folder, check=True, input=told, stdout=subprocess.PIPE)
    return _pixels(run.stdout, side)


def _pixels(content: bytes, side: int) -> Pixels:
    return np.frombuffer(content, np.uint8).reshape(-1, side, side, 3)


if __name__ == "__main__":
    main()
