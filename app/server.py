"""The page and the endpoint as one ASGI application, on one address."""

from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import streamlit
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web import bootstrap

from app import endpoint, limits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""With it, browsers let the page call no host but the one that it came from."""

_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]

Application = Callable[[Message, Receive, Send], Awaitable[None]]

FULL = PlainTextResponse("too many uploads are held; remove some, or come back later", 413)
TRY_AGAIN_LATER = 1013
"""Source: IANA, WebSocket Close Code Number Registry."""
OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",  # in the terminal only
    "client.toolbarMode": "minimal",
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "server.disconnectedSessionTTL": limits.FORGET_AFTER_S,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxMessageSize": 32,
    "server.maxUploadSize": limits.IMAGE_BYTES // 2**20,
}
"""Of Streamlit, over what a config.toml says; here, so that they hold wherever the page starts."""

bootstrap.load_config_options(OPTIONS)
# Streamlit reads uploads by Starlette's parser, which writes what is larger to temporary files.
MultiPartParser.spool_max_size = limits.IMAGE_BYTES + 2**20

page = streamlit.App(Path(__file__).with_name("page.py"))


class Visits:
    """The pages that are open, each with a websocket, of which there are only so many."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hold a page open for as long as its visitor stays; where there is no room, refuse it."""
        address, _ = scope["client"] or ("", 0)
        if self._of[address] >= limits.VISITS_OF_CLIENT or self._of.total() >= limits.VISITS:
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            return
        self._of[address] += 1
        try:
            await page(scope, receive, send)
        finally:
            self._of[address] -= 1
            self._of = +self._of  # without those who have left


visits = Visits()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer a request: the endpoint its own paths, the page all others."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    chosen: Application = page
    if scope["type"] == "http":
        if scope["path"] in endpoint.PATHS:
            chosen = endpoint.api
        elif scope["method"] == "PUT" and not has_room(scope["path"]):
            chosen = FULL
    elif scope["type"] == "websocket":
        chosen = visits
    await chosen(scope, receive, send_with_headers)


def has_room(path: str) -> bool:
    """Tell whether another upload, to /…/<visit>/<file>, is within the limits."""
    manager = runtime.Runtime.instance().uploaded_file_mgr
    if not isinstance(manager, MemoryUploadedFileManager):
        return True
    visit = path.split("/")[-2] if path.count("/") > 1 else ""
    held = {
        key: sum(len(file.data) for file in list(files.values()))
        for key, files in list(manager.file_storage.items())
    }
    return held.get(visit, 0) < limits.VISIT_BYTES and sum(held.values()) < limits.HELD_BYTES
