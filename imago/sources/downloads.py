"""Transfers over http(s) that resume where they broke off and are verified at their end."""

import hashlib
import http
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import requests

from imago.core import files, paths, progress, sections
from imago.core.errors import SourceError
from imago.sources import transport
from imago.sources.retries import EndlessError, TransferError, patiently
from imago.sources.store import WrongDigestError

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
"""The longest pause between two pieces of a body."""
CHUNK_BYTES = 1 << 16
"""What is lost at most when a body stalls."""

CONTENT_RANGE = re.compile(
    r"bytes (?:(?P<first>[0-9]{1,18})-[0-9]{1,18}|\*)/(?:(?P<total>[0-9]{1,18})|\*)"
)
CONTENT_LENGTH = re.compile(r"[0-9]{1,18}")
"""No file has more digits of bytes, and Python refuses to read thousands."""

T = TypeVar("T")


def fetch(
    url: str,
    digest: str | None,
    accept: Callable[[Path], T],
    label: str,
    certificates: str | None = None,
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> T:
    """Download a file, hand it to `accept` and remove it.

    What an interrupted or failed transfer leaves is resumed by the next call with the same URL
    and digest, unless neither a digest nor the server could tell if pieces of two versions were
    joined.

    Args:
        url: An http(s) URL.
        digest: Of what is wanted from the URL, None if unknown; parts for one digest never
            serve another.
        accept: Verifies the file and keeps what it needs of it.
        label: Names the transfer on the terminal and in the log.
        certificates: A file of certificate authorities to trust instead of the usual ones.
        limits: On the bytes of the file, their rate, and the time that all attempts take.

    Returns:
        What `accept` returned.

    Raises:
        SourceError: The transfer failed, or `accept` raised it: the file is not the right one.
    """
    part = _Part.of(url, digest)
    deadline_s = limits.deadline_s()
    afresh = False
    while True:
        receive = partial(_receive, url, part, label, certificates, limits, deadline_s)
        in_pieces = patiently(receive, label)
        try:
            result = accept(part.path)
        except SourceError as error:
            part.remove()
            # Where the server names no version, pieces of two may have been joined: once more.
            if afresh or not in_pieces or not isinstance(error, WrongDigestError):
                raise
            log.info("%s: the pieces do not make the wanted file; again from the start", label)
            afresh = True
        else:
            part.remove()
            return result


@dataclass(frozen=True)
class _Part:
    """What has arrived of a file, and the validator by which its server knows the version."""

    path: Path
    validator: Path
    has_digest: bool

    @classmethod
    def of(cls, url: str, digest: str | None) -> Self:
        key = hashlib.sha256(f"{digest} {url}".encode()).hexdigest()
        folder = paths.downloads() / "parts"
        return cls(folder / f"{key}.part", folder / f"{key}.validator", digest is not None)

    def length(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def request_headers(self) -> dict[str, str]:
        # A body that is compressed on the way could not be resumed by its length.
        headers = {"Accept-Encoding": "identity"}
        if self.length() and (self.has_digest or self.validator.exists()):
            headers["Range"] = f"bytes={self.length()}-"
            if self.validator.exists():
                headers["If-Range"] = self.validator.read_text("latin-1")
        return headers

    def begin(self, response: requests.Response) -> None:
        """Drop what there was, and note the version; If-Range takes no weak ETag."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.remove()
        etag = response.headers.get("ETag", "W/")
        validator = response.headers.get("Last-Modified") if etag.startswith("W/") else etag
        if validator:
            self.validator.write_text(validator, "latin-1")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.validator.unlink(missing_ok=True)


def _receive(
    url: str,
    part: _Part,
    label: str,
    certificates: str | None,
    limits: sections.Limits,
    deadline_s: float,
) -> bool:
    """Ask for what is missing of a file and append it; True if the file is made of pieces."""
    offset = part.length()
    with_framing = 2 * limits.download_bytes + transport.HEADERS_BYTES  # the body is counted below
    bounds = transport.Bounds(with_framing, limits.download_bytes_per_s, deadline_s)
    with (
        transport.session(bounds) as session,
        session.get(
            url,
            headers=part.request_headers(),
            stream=True,
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            verify=certificates or True,
        ) as response,
    ):
        first, total = _extent(response)
        if offset and response.status_code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if total == offset:  # interrupted after the last byte
                return True
            part.remove()
            message = "the file became shorter meanwhile"
            raise TransferError(message, may_pass=True)
        response.raise_for_status()
        resumed = response.status_code == http.HTTPStatus.PARTIAL_CONTENT
        if first != (offset if resumed else 0):
            part.remove()
            message = f"the server sent bytes from {first} on, asked for bytes from {offset} on"
            raise TransferError(message, may_pass=True)
        with files.naming_full_disk(part.path):
            if not resumed or not offset:
                part.begin(response)
            _append(response, part, total, label, limits.download_bytes)
    return resumed


def _append(
    response: requests.Response, part: _Part, total: int | None, label: str, greatest_bytes: int
) -> None:
    """Write a body to the end of the part. Raises TransferError if it is cut off or too long."""
    if total is not None:
        _check_bytes(part, total, greatest_bytes)
    received = part.length()
    with part.path.open("ab") as file, progress.bar(label, total, "B", received) as advance:
        # The bytes as they are sent: a server may label a .gz file as a compressed body.
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            received += len(chunk)
            _check_bytes(part, received, greatest_bytes)
            file.write(chunk)
            advance(len(chunk))
    if total is not None and part.length() != total:
        message = f"the transfer broke off after {part.length():,} of {total:,} bytes"
        raise TransferError(message, may_pass=True)


def _check_bytes(part: _Part, count: int, greatest: int) -> None:
    if count > greatest:
        part.remove()
        message = f"must have at most {greatest:,} bytes, got {count:,} or more"
        message += "; limits.download_gb of params.yaml is the bound"
        raise EndlessError(message)


def _extent(response: requests.Response) -> tuple[int | None, int | None]:
    """Where a body begins in its file, and the length of the whole file; None if not told."""
    if match := CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "")):
        first, total = match["first"], match["total"]
        return int(first) if first else None, int(total) if total else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if CONTENT_LENGTH.fullmatch(length) else None
