import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.formparsers import MultiPartParser
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from app import limits, server


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    made = MemoryUploadedFileManager("/upload")
    fake: Any = SimpleNamespace(uploaded_file_mgr=made)
    monkeypatch.setattr(server.runtime.Runtime, "instance", lambda: fake)
    return made


def test_a_visitor_s_uploads_are_bounded(
    manager: MemoryUploadedFileManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "VISIT_BYTES", 10)
    monkeypatch.setattr(limits, "HELD_BYTES", 25)
    for visit in ("one", "two", "three"):
        assert server.has_room(f"/_stcore/upload_file/{visit}/a")
        manager.add_file(visit, UploadedFileRec("a", "a.png", "image/png", bytes(9)))
    assert not server.has_room("/_stcore/upload_file/four/a")  # 27 bytes of all visitors
    manager.remove_session_files("three")
    assert server.has_room("/_stcore/upload_file/one/b")
    manager.add_file("one", UploadedFileRec("b", "b.png", "image/png", bytes(1)))
    assert not server.has_room("/_stcore/upload_file/one/c")
    assert server.has_room("/_stcore/upload_file/two/c")


async def said_to_one_more(addresses: list[str], one_more: str) -> list[server.Message]:
    """Open pages, and return what is said to a page of `one_more`, and after one has left."""
    said: list[server.Message] = []

    async def receive() -> server.Message:
        return {"type": "websocket.connect"}

    async def send(message: server.Message) -> None:
        said.append(message)

    def visit(address: str) -> asyncio.Task[None]:
        scope = {"type": "websocket", "path": "/_stcore/stream", "client": (address, 1)}
        return asyncio.ensure_future(server.application(scope, receive, send))

    there = [visit(address) for address in addresses]
    await asyncio.sleep(0)
    await asyncio.wait_for(visit(one_more), 5)  # which nobody waits for, unless it is let in
    there[0].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await there[0]
    await asyncio.wait([visit(one_more)], timeout=0)
    for task in there[1:]:
        task.cancel()
    return said


@pytest.mark.fault
@pytest.mark.parametrize("addresses", [["a", "a"], ["a", "b", "c"]], ids=["of one", "in all"])
def test_so_many_pages_are_open_at_a_time(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def page(_: server.Message, __: server.Receive, ___: server.Send) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(server, "page", page)
    monkeypatch.setattr(server, "visits", server.Visits())
    monkeypatch.setattr(limits, "VISITS_OF_CLIENT", 2)
    monkeypatch.setattr(limits, "VISITS", 3)
    said = asyncio.run(said_to_one_more(addresses, "a"))
    assert said == [{"type": "websocket.close", "code": 1013}]  # and none to whoever came last


def test_uploads_of_every_allowed_size_stay_in_memory() -> None:
    assert MultiPartParser.spool_max_size > limits.IMAGE_BYTES
    assert server.OPTIONS["server.maxUploadSize"] * 2**20 == limits.IMAGE_BYTES
    assert server.OPTIONS["browser.gatherUsageStats"] is False
