"""Digests of files: sha256, or MD5 of a file whose publisher gives that alone.

Both tell that a file is damaged, or another one. That nobody has made two files of one digest, to
show the one and to serve the other, only sha256 tells.
"""

import hashlib
from typing import IO

MD5 = "md5:"
"""Begins the text of an MD5; that of a sha256 is its digits alone."""


def of(stream: IO[bytes], like: str) -> str:
    """Compute the digest of what a stream holds, by the algorithm of another, and written as it."""
    if like.startswith(MD5):
        return MD5 + hashlib.file_digest(stream, _md5).hexdigest()  # type: ignore[arg-type]
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def algorithm(digest: str) -> str:
    """Return what a digest was computed by, as people write it."""
    return "MD5" if digest.startswith(MD5) else "sha256"


def said(digest: str) -> str:
    """Say a digest in words: `sha256 is …`."""
    return f"{algorithm(digest)} is {digest.removeprefix(MD5)}"


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
