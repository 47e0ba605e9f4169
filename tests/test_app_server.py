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


def test_uploads_of_every_allowed_size_stay_in_memory() -> None:
    assert MultiPartParser.spool_max_size > limits.IMAGE_BYTES
    assert server.OPTIONS["server.maxUploadSize"] * 2**20 == limits.IMAGE_BYTES
    assert server.OPTIONS["browser.gatherUsageStats"] is False
