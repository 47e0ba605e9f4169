"""Tars of unknown origin, header by header.

tarfile reads headers that extend others into memory whatever their size, follows them as deep as
they are nested, and unpacks holes that it is told of. Files that are found by their last name or by
their content need none of that, so here such headers are passed over as any other member.
"""

import gzip
import math
import tarfile
from collections.abc import Iterator
from typing import IO

BLOCK_BYTES = 512
"""A header is one block, and a member's content is whole blocks."""
MEMBERS = 2**17
"""At most; headers of nothing cost time alone."""


def regular_files(
    stream: IO[bytes] | gzip.GzipFile, greatest_bytes: int
) -> Iterator[tarfile.TarInfo]:
    """Yield the header of each regular file; the stream then stands where its content begins.

    Args:
        stream: From its start, and able to seek forward. What is yielded may be read or not.
        greatest_bytes: Of the whole, unpacked.

    Raises:
        tarfile.HeaderError: A header is damaged, or its member is larger than the bytes left.
    """
    for _ in range(MEMBERS):
        header = stream.read(BLOCK_BYTES)
        if not header.strip(b"\0"):
            return
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        begin = stream.tell()
        if not 0 <= member.size <= greatest_bytes - begin:
            left = max(0, greatest_bytes - begin)
            message = f"{member.name!r} must have 0 to {left:,} bytes, got {member.size:,}"
            raise tarfile.HeaderError(message)
        if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            yield member
        stream.seek(begin + math.ceil(member.size / BLOCK_BYTES) * BLOCK_BYTES)
    message = f"it has more than {MEMBERS:,} members"
    raise tarfile.HeaderError(message)
