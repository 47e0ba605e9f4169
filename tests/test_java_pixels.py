"""The Java that docs/predict.md shows for a phone gives the pixels that imago gives."""

import shutil
import struct
import subprocess

import numpy as np
import pytest

from tests import outside

MAIN = """
import java.io.DataInputStream;

public final class Main {
    public static void main(String[] words) throws java.io.IOException {
        DataInputStream input = new DataInputStream(new java.io.BufferedInputStream(System.in));
        while (input.available() > 0) {
            int height = input.readInt(), width = input.readInt(), side = input.readInt();
            String fit = input.readUTF();
            int[] photo = new int[height * width];
            for (int index = 0; index < photo.length; index++) photo[index] = input.readInt();
            System.out.write(Photo.pixels(photo, width, height, side, fit));
        }
        System.out.flush();
    }
}
"""


@pytest.fixture(scope="module")
def pixels(tmp_path_factory):
    """What it makes of all photos, in the order of the cases."""
    if not shutil.which("javac") or not shutil.which("java"):
        pytest.skip("needs a JDK, and none is installed")
    folder = tmp_path_factory.mktemp("java")
    (folder / "Photo.java").write_text(outside.code("java"), "utf-8")
    (folder / "Main.java").write_text(MAIN)
    command = ["javac", "-encoding", "UTF-8", "-Xlint:all", "-Werror", "Main.java", "Photo.java"]
    subprocess.run(command, cwd=folder, check=True)
    told = b"".join(asked(name, fit) for name, fit in outside.CASES)
    command = ["java", "-XX:TieredStopAtLevel=1", "Main"]
    run = subprocess.run(command, cwd=folder, check=True, input=told, stdout=subprocess.PIPE)
    side = outside.SIDE_PX
    found = np.frombuffer(run.stdout, np.uint8).reshape(-1, side, side, 3).astype(int)
    return dict(zip(outside.CASES, found, strict=True))


def asked(name, fit):
    photo = outside.rgba(name)
    shape = struct.pack(">3i", *photo.shape[:2], outside.SIDE_PX)
    colors = np.ascontiguousarray(photo[..., [3, 0, 1, 2]])  # of each pixel an int, 0xAARRGGBB
    return shape + struct.pack(">H", len(fit)) + fit.encode() + colors.tobytes()


@pytest.mark.parametrize(("name", "fit"), outside.CASES)
def test_pixels_in_java_are_those_of_imago(pixels, name, fit):
    outside.check(pixels[name, fit], name, fit)
