"""PNG files without the texts and colour profiles that Pillow refuses for their length.

Editors keep whole histories there. The picture is none the worse for it, so what is too long is
left out before the file is read; of a long XMP text the orientation remains.
"""

import re
import struct
import zlib
from collections.abc import Iterator

GREATEST_TEXT_BYTES = 2**20
"""Of all texts of a file, unpacked; Pillow takes as many of one."""
GREATEST_XMP_BYTES = 2**24
"""That are unpacked to look for the orientation."""

_SIGNATURE_BYTES, _HEAD_BYTES, _CHECKSUM_BYTES = 8, 8, 4
_PROFILE = b"iCCP"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
"""Source of these chunks and their fields: PNG (Third Edition), W3C 2025, sections 5.3, 11.3."""
_XMP = b"XML:com.adobe.xmp\0"
_ORIENTATION = re.compile(rb'tiff:Orientation(="|>)[0-9]')


def shortened(content: bytes) -> bytes:
    """Return a PNG without its colour profile and without texts that are too long.

    Args:
        content: The whole file, which may be damaged; what cannot be followed stays as it is.
    """
    parts, copied, left = [], 0, GREATEST_TEXT_BYTES
    for kind, start, end in _chunks(content):
        if kind not in (*_TEXTS, _PROFILE):
            continue
        data = content[start + _HEAD_BYTES : end - _CHECKSUM_BYTES]
        if kind in _TEXTS and (length := len(_unpacked(kind, data, left + 1))) <= left:
            left -= length
            continue
        parts += [content[copied:start], _orientation_alone(kind, data)]
        copied = end
    return b"".join([*parts, content[copied:]]) if parts else content


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each whole chunk, where it starts and where it ends."""
    start = _SIGNATURE_BYTES
    while start + _HEAD_BYTES <= len(content):
        length, kind = struct.unpack_from(">I4s", content, start)
        end = start + _HEAD_BYTES + length + _CHECKSUM_BYTES
        if end > len(content):
            return
        yield kind, start, end
        start = end


def _unpacked(kind: bytes, data: bytes, greatest_bytes: int) -> bytes:
    """Return at most so many bytes of a text, behind its keyword."""
    keyword, _, text = data.partition(b"\0")
    if kind == b"tEXt" or not keyword:
        return text[:greatest_bytes]
    is_packed, text = (True, text[1:]) if kind == b"zTXt" else (text[:1] == b"\1", text[2:])
    if kind == b"iTXt":
        text = text.split(b"\0", 2)[-1]  # behind the language and the keyword in it
    if not is_packed:
        return text[:greatest_bytes]
    try:
        return zlib.decompressobj().decompress(text, greatest_bytes)
    except zlib.error:  # over which Pillow passes
        return b""


def _orientation_alone(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of XMP that says the orientation of a longer one; nothing where none does."""
    if kind != b"iTXt" or not data.startswith(_XMP):
        return b""
    found = _ORIENTATION.search(_unpacked(kind, data, GREATEST_XMP_BYTES))
    return _chunk(kind, _XMP + bytes(4) + found[0]) if found else b""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
