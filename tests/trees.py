"""What is in a folder, and damage to it."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder, by their paths within it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def damage(path: Path) -> None:
    """Flip a bit of a file's last byte: of an array, another value, as good as any other."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
