"""Http requests tried again while their failure may pass, and failures told in a few words."""

import email.utils
import http.client
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import sleep
from typing import TypeVar

import requests
import tenacity
import urllib3

from imago.core.errors import SourceError

log = logging.getLogger(__name__)

ATTEMPTS = 5
ATTEMPTS_UNREACHABLE = 2
"""When the host gives no answer at all: the next source is worth more than patience."""
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
STATUSES_THAT_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
STATUSES_OF_ABSENCE = frozenset({404, 410})
LETTERS_SHOWN = 100

T = TypeVar("T")


class TransferError(SourceError):
    """A transfer failed.

    Attributes:
        may_pass: Whether the same request may succeed a little later.
        wait_s: How long the server asks to wait before that, None if it does not say.
    """

    def __init__(self, reason: str, *, may_pass: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.may_pass = may_pass
        self.wait_s = wait_s


class NotFoundError(TransferError):
    """The source is there and does not have the file."""


class UnreachableError(TransferError):
    """The host gives no answer, so it need not be asked for further files."""


class TooSlowError(UnreachableError):
    """The host sends so little that it might as well send nothing."""


class EndlessError(TransferError):
    """The answer has more bytes, or takes more time, than it may."""


def patiently(action: Callable[[], T], label: str) -> T:
    """Call `action`, which makes an http request, again and again while its failure may pass.

    Args:
        action: Raises what requests and urllib3 raise, or TransferError.
        label: Names the request in the log.

    Returns:
        What `action` returned.

    Raises:
        TransferError: The failure did not pass, or never would; the message is a short reason.
    """

    def attempt() -> T:
        try:
            return action()
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _explained(error) from error

    def tell(state: tenacity.RetryCallState) -> None:
        log.info("%s: %s; again in %.0f s", label, _failure(state), state.upcoming_sleep)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: getattr(error, "may_pass", False)),
        stop=_is_enough,
        wait=_wait_s,
        sleep=sleep,
        before_sleep=tell,
        reraise=True,
    )
    return retrying(attempt)


def _failure(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _is_enough(state: tenacity.RetryCallState) -> bool:
    unreachable = isinstance(_failure(state), UnreachableError)
    return state.attempt_number >= (ATTEMPTS_UNREACHABLE if unreachable else ATTEMPTS)


def _wait_s(state: tenacity.RetryCallState) -> float:
    asked_s: float | None = getattr(_failure(state), "wait_s", None)
    wait_s = FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1) if asked_s is None else asked_s
    return min(wait_s, LONGEST_WAIT_S)


def _explained(error: requests.RequestException | urllib3.exceptions.HTTPError) -> TransferError:
    """Say what a request's failure means for the next attempt.

    URLs are left out, for there may be passwords in them, and class names, which say nothing.
    """
    if known := next((one for one in _chain(error) if isinstance(one, TransferError)), None):
        return known
    match error:
        case requests.HTTPError(response=requests.Response() as response):
            return _refused(response)
        case requests.exceptions.SSLError():
            return UnreachableError(f"no secure connection: {_cause(error)}")
        case requests.ConnectTimeout():
            return UnreachableError("the host gives no connection in time", may_pass=True)
        case requests.ReadTimeout():
            return UnreachableError("the host gives no answer in time", may_pass=True)
        case requests.ConnectionError() if any(
            isinstance(e, socket.gaierror) for e in _chain(error)
        ):
            return UnreachableError("host not found")
        case requests.ConnectionError():
            return UnreachableError(_cause(error), may_pass=True)
        case urllib3.exceptions.ReadTimeoutError():
            return TransferError("the transfer stalled", may_pass=True)
        case urllib3.exceptions.LocationValueError():
            return TransferError("it names no host")
        case urllib3.exceptions.HTTPError() | requests.exceptions.ChunkedEncodingError():
            return TransferError("the transfer broke off", may_pass=True)
        case requests.exceptions.InvalidHeader():
            return TransferError("the host does not answer as http asks")
        case requests.TooManyRedirects():
            return TransferError("redirects without end")
        case requests.exceptions.InvalidProxyURL():
            return TransferError("the proxy that the environment names has no valid URL")
        case requests.exceptions.InvalidSchema() if "SOCKS" in str(error):
            return TransferError("a SOCKS proxy needs the package PySocks")
        case requests.exceptions.InvalidSchema():
            return TransferError("redirects to what is neither http nor https")
        case ValueError():  # of which all errors of a URL are
            return TransferError("the URL, or that of a redirect or proxy, is not valid")
    return TransferError(_cause(error))


def _refused(response: requests.Response) -> TransferError:
    """The meaning of a status of 400 and more."""
    reason = f"{response.status_code} {_readable(response.reason)}".strip()
    if response.status_code in STATUSES_OF_ABSENCE:
        return NotFoundError(reason)
    return TransferError(
        reason,
        may_pass=response.status_code in STATUSES_THAT_MAY_PASS,
        wait_s=_retry_after_s(response.headers.get("Retry-After")),
    )


def _retry_after_s(header: str | None) -> float | None:
    """Read Retry-After, a number of seconds or a date; None for anything else."""
    if header is None:
        return None
    if header.isdecimal():
        return float(header)
    try:
        then = email.utils.parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _cause(error: BaseException) -> str:
    """Find the operating system's own words, such as "Connection refused"."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if isinstance(cause, http.client.HTTPException):
            return f"the host does not answer as http asks: {_readable(str(cause))}"
    return str(error) if "://" not in str(error) else type(error).__name__


def _readable(text: str) -> str:
    """Shorten what a server said, and leave out what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LETTERS_SHOWN])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
