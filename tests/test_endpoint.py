import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException, Request
from fastapi.testclient import TestClient

from app import bodies, endpoint, intake, limits
from tests import app_project, faults, malformed

pytestmark = pytest.mark.fault

RED = malformed.picture("PNG", 20, app_project.RGB["red"])
BLUE = malformed.picture("JPEG", 20, app_project.RGB["blue"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    app_project.create(folder)
    return folder


@pytest.fixture
def client(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.chdir(project)
    with TestClient(endpoint.api) as started:
        yield started


def ask(client: TestClient, *files: tuple[str, bytes], query: str = "model=cnn") -> Any:
    return client.post(f"/predict?{query}", files=[("images", file) for file in files])


def test_health_and_models(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "models": 2, "broken": []}
    assert client.head("/health").status_code == 200
    found = client.get("/models").json()["models"]
    assert found[0] == {"name": "cnn", "classes": ["blue", "green", "red"], "shape": [16, 16, 3]}
    assert found[1]["name"] == "digits"


def test_one_model_that_cannot_be_loaded(
    client: TestClient, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_project.export(project, "odd", ("a", "b"), app_project.np.ones((3, 2)))
    (project / "exports/odd/model.json").write_text("[]")
    assert client.get("/health").json() == {"status": "ok", "models": 2, "broken": ["odd"]}
    found = client.get("/models").json()
    assert [model["name"] for model in found["models"]] == ["cnn", "digits"]
    ((broken),) = found["broken"]
    assert broken["name"] == "odd"
    assert "model.json: must be a section of keys and values, got []" in broken["reason"]
    assert ask(client, ("red.png", RED), query="model=odd").status_code == 404
    shutil.rmtree(project / "exports/odd")


def test_one_image(client: TestClient) -> None:
    answer = ask(client, ("red.png", RED), query="model=cnn&top=2")
    assert answer.status_code == 200
    (image,) = answer.json()["images"]
    assert (image["status"], image["name"], image["label"]) == ("ok", "red.png", "red")
    assert image["certainty"] == "very_sure"
    # the softmax of 0.05 times (20, 20, 230)
    assert image["probability"] == pytest.approx(0.999945, abs=1e-6)
    assert [share["label"] for share in image["top"]] == ["red", "blue"]
    assert image.keys() == {"status", "name", "label", "probability", "certainty", "top"}


def test_a_model_with_limits_says_that_it_is_unsure(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = endpoint.catalog.load("cnn")
    monkeypatch.setattr(predictor, "unsure_below", 0.99999)
    (image,) = ask(client, ("red.png", RED)).json()["images"]
    assert (image["label"], image["unsure"], image["certainty"]) == ("red", "improbable", "unsure")


def test_a_broken_file_among_others(client: TestClient) -> None:
    answer = ask(client, ("red.png", RED), ("notes.png", b"hello"), ("blue.jpg", BLUE))
    assert answer.status_code == 200
    first, second, third = answer.json()["images"]
    assert (first["label"], third["label"]) == ("red", "blue")
    assert second["status"] == "refused"
    assert (second["name"], second["fault"]) == ("notes.png", "unreadable")
    assert second["reason"].startswith("not of a known format")


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ("model=other", 404, "model must be one of cnn, digits"),
        ("model=../exports/cnn", 404, "model must be one of cnn, digits"),
        ("top=3", 422, "query.model: Field required"),
        ("model=cnn&top=0", 422, "query.top: Input should be greater than or equal to 1"),
        ("model=cnn&top=x", 422, "query.top: Input should be a valid integer"),
    ],
)
def test_wrong_query(client: TestClient, query: str, code: int, detail: str) -> None:
    answer = ask(client, ("red.png", RED), query=query)
    assert answer.status_code == code
    assert answer.json()["detail"].startswith(detail)


def test_wrong_bodies(client: TestClient) -> None:
    url = "/predict?model=cnn"
    form = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post(url, content=RED).status_code == 415
    assert client.post(url, json={}).status_code == 415
    unbounded = client.post(url, content=b"x", headers={"content-type": "multipart/form-data"})
    assert unbounded.status_code == 400
    assert client.post(url, content=b"nonsense", headers=form).status_code == 400
    assert client.post(url, content=b"--b\r\nno header\r\n", headers=form).status_code == 400
    assert client.post(url, content=b"--b--\r\n", headers=form).status_code == 422
    part = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n' + RED
    assert client.post(url, content=part + b"\r\n--b--\r\n", headers=form).status_code == 200
    for cut in (part + b"\r\n" + part[:-9], part, part + b"\r\n--b", part + b"\r\n--b\r\n"):
        ended = client.post(url, content=cut, headers=form)
        assert ended.status_code == 400
        assert ended.json()["detail"] == "the body ended before its last boundary"
    misnamed = client.post(url, files={"photo": ("red.png", RED)})
    assert misnamed.status_code == 422
    assert misnamed.json()["detail"] == "the files must all be sent as images, got photo"
    text = client.post(url, data={"images": "red"}, files={"images": ("red.png", RED)})
    assert text.status_code == 422
    assert text.json()["detail"].startswith("images must be files, as of `curl -F images=@cat.jpg`")


def test_limits(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(limits, "IMAGE_BYTES", len(RED) - 1)
        alone = ask(client, ("red.png", RED))
    assert alone.status_code == 413
    assert alone.json()["images"][0]["fault"] == "too_large"

    many = ask(client, *[("red.png", RED)] * (limits.IMAGES + 1))
    assert many.status_code == 413


def test_a_body_without_length_is_read_to_the_limit_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_BYTES", 100_000)
    head = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield head
        while sent < 10_000_000:
            sent += 50_000
            yield bytes(50_000)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.post("/predict?model=cnn", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert "100,000 bytes" in answer.json()["detail"]


def test_uploads_never_go_to_disk(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp", "mkdtemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    large = malformed.picture("BMP", 1200)
    assert len(large) > 4_000_000
    assert ask(client, ("large.bmp", large)).status_code == 200


def test_too_many_requests(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_busy", asyncio.Semaphore(0))
    answer = ask(client, ("red.png", RED))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.usefixtures("client")
def test_slow_bodies_hold_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_busy", asyncio.Semaphore(limits.REQUESTS))
    begun, url = [], "/predict?model=cnn"

    async def answered() -> int:
        go_on = asyncio.Event()

        async def drops() -> AsyncIterator[bytes]:
            begun.append(1)
            yield b"--b"
            await go_on.wait()

        headers = {"content-type": "multipart/form-data; boundary=b"}
        transport = httpx.ASGITransport(endpoint.api)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            posts = [client.post(url, content=drops(), headers=headers) for _ in range(20)]
            slow = [asyncio.create_task(post) for post in posts]
            while len(begun) < len(slow):
                await asyncio.sleep(0)
            good = await client.post(url, files=[("images", ("red.png", RED))])
            go_on.set()
            await asyncio.gather(*slow)
        return good.status_code

    assert asyncio.run(asyncio.wait_for(answered(), 60)) == 200


def test_large_pictures_are_held_by_those_who_decode_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = []
    pixels = endpoint.Predictor.pixels

    def noted(*arguments: Any) -> Any:
        free.append(intake.DECODING._value)
        return pixels(*arguments)

    monkeypatch.setattr(endpoint.Predictor, "pixels", noted)
    assert ask(client, ("red.png", RED)).status_code == 200
    assert free == [limits.DECODING_THREADS - 1]


def test_bodies_have_room_for_so_many_bytes_together(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):  # of which each gives its room back
        monkeypatch.setattr(limits, "BODIES_BYTES", len(RED) + 1000)
        assert ask(client, ("red.png", RED)).status_code == 200
        monkeypatch.setattr(limits, "BODIES_BYTES", len(RED))
        assert ask(client, ("red.png", RED)).status_code == 503


def test_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_TIMEOUT_S", 0.01)

    async def receive() -> Any:
        await asyncio.Event().wait()

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    request = Request({"type": "http", "headers": headers}, receive)
    with pytest.raises(HTTPException, match="408"):
        asyncio.run(endpoint._files(request, bodies.Body(bodies.Bodies())))


def test_a_visitor_who_leaves_in_the_middle() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    request = Request({"type": "http", "headers": headers}, receive)
    with pytest.raises(HTTPException, match="400"):
        asyncio.run(endpoint._files(request, bodies.Body(bodies.Bodies())))


def test_description(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert {*described["paths"], "/openapi.json"} == endpoint.PATHS
    post = described["paths"]["/predict"]["post"]
    assert {*post["responses"]} == {"200", "400", "404", "408", "413", "415", "422", "503"}
    assert "multipart/form-data" in post["requestBody"]["content"]
    assert client.get("/predict").status_code == 405
    assert client.get("/docs").status_code == 404


def test_malformed_images(client: TestClient) -> None:
    known = {"200", *client.get("/openapi.json").json()["paths"]["/predict"]["post"]["responses"]}
    requests = [[file] for file in malformed.crafted()]
    fuzzed = [*malformed.fuzzed(faults.times(400, 20_000))]
    requests += [fuzzed[i : i + limits.IMAGES] for i in range(0, len(fuzzed), limits.IMAGES)]
    answers = [ask(client, *files) for files in requests]
    assert {str(answer.status_code) for answer in answers} <= known
    images = [image for answer in answers for image in answer.json()["images"]]
    assert {image["status"] for image in images} == {"ok", "refused"}
    assert sum(image["status"] == "refused" for image in images) > 200
    assert ask(client, ("red.png", RED)).json()["images"][0]["label"] == "red"
