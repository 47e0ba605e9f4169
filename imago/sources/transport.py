"""Http sessions in which a server can neither send without end nor keep its client waiting.

Requests bounds the pauses between two pieces, and nothing else: a server that sends a byte a second
is never left, in headers nor in bodies, and bodies of redirects are read into memory. So what
arrives is counted where it arrives, between the socket and the parser of http.
"""

import http.client
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from imago.sources.retries import EndlessError, TooSlowError

HEADERS_BYTES = 2**20
"""Of one answer, at most; http.client allows a hundred lines of 64 KiB, time and again."""
SPAN_S = 30.0
"""Over which the rate is measured; as long as the longest pause."""


@dataclass(frozen=True)
class Bounds:
    """What is asked of a server.

    Attributes:
        greatest_bytes: Of one answer.
        least_bytes_per_s: Over each span of SPAN_S, from the first byte on.
        deadline_s: Of `time.monotonic`, for the last byte.
        longest: In words, what the deadline comes from.
    """

    greatest_bytes: int
    least_bytes_per_s: float
    deadline_s: float
    longest: str = "limits.download_hours of params.yaml"


def session(bounds: Bounds) -> requests.Session:
    """Return a session for one request and its redirects.

    Bodies of redirects and errors are not read, and none is unpacked on its way.

    A server that breaks the bounds ends as what `retries.patiently` makes a TransferError of.
    """
    made = _Session()
    adapter = _Adapter(bounds)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    made.headers["Accept-Encoding"] = "identity"
    return made


class _Session(requests.Session):
    def get_redirect_target(self, response: requests.Response) -> str | None:
        """Return where a redirect goes to, which requests takes apart without a guard."""
        try:
            target = super().get_redirect_target(response)
            urlsplit(target)
        except ValueError as error:
            raise requests.exceptions.InvalidURL(response=response) from error
        return target


class _Adapter(HTTPAdapter):
    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _bind(self.poolmanager, self._bounds)

    def proxy_manager_for(self, proxy: str, **options: Any) -> urllib3.PoolManager:
        manager: urllib3.PoolManager = super().proxy_manager_for(proxy, **options)
        _bind(manager, self._bounds)
        return manager

    def send(self, *args: Any, **options: Any) -> requests.Response:
        response = super().send(*args, **options)
        response.raw.headers.pop("Content-Encoding", None)  # by which a body would be unpacked
        if response.is_redirect or response.status_code >= http.HTTPStatus.BAD_REQUEST:
            response.close()
        return response


def _bind(manager: urllib3.PoolManager, bounds: Bounds) -> None:
    """Have all connections of a manager, or of a proxy's, read what arrives through `_Arriving`."""
    pools: Mapping[str, type[urllib3.HTTPConnectionPool]] = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {
        scheme: _bound_pool(pool, bounds) for scheme, pool in pools.items()
    }


def _bound_pool(pool: type[Any], bounds: Bounds) -> type[Any]:
    answer = {"response_class": partial(_Answer, bounds=bounds)}
    return type(pool.__name__, (pool,), {"ConnectionCls": type("_", (pool.ConnectionCls,), answer)})


class _Answer(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, bounds: Bounds, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._bounds = bounds
        self._arriving = _Arriving(self.fp.detach(), bounds)
        self.fp = io.BufferedReader(self._arriving)

    def begin(self) -> None:
        """Read the headers."""
        self._arriving.greatest_bytes = HEADERS_BYTES
        super().begin()
        self._arriving.greatest_bytes = self._bounds.greatest_bytes


class _Arriving(io.RawIOBase):
    """The bytes of one answer, as they come out of the socket."""

    def __init__(self, stream: io.RawIOBase, bounds: Bounds) -> None:
        self.greatest_bytes = bounds.greatest_bytes
        self._stream, self._bounds = stream, bounds
        self._bytes = 0
        self._span_bytes, self._span_begin_s = 0, 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._stream.readinto(buffer)
        self._count(count or 0, time.monotonic())
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _count(self, count: int, now_s: float) -> None:
        if now_s > self._bounds.deadline_s:
            message = f"takes longer than {self._bounds.longest}"
            raise EndlessError(message)
        self._bytes += count
        if self._bytes > self.greatest_bytes:
            message = f"sends more than {self.greatest_bytes:,} bytes"
            raise EndlessError(message)
        if not self._span_begin_s:
            self._span_begin_s = now_s
        self._span_bytes += count
        if (span_s := now_s - self._span_begin_s) >= SPAN_S:
            if self._span_bytes < self._bounds.least_bytes_per_s * span_s:
                message = (
                    f"sends {self._span_bytes / span_s:,.0f} bytes per second, must be "
                    f"{self._bounds.least_bytes_per_s:,.0f} or more; limits.download_bytes_per_s "
                    "of params.yaml is the bound"
                )
                raise TooSlowError(message, may_pass=True)
            self._span_bytes, self._span_begin_s = 0, now_s
