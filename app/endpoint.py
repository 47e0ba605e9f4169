"""The REST endpoint: images in, classes and probabilities out; described at /openapi.json.

An upload is read into memory, never to disk, and no further than the limits of `app.limits`.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Literal

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app import bodies, catalog, certainty, intake, limits, memory
from app.certainty import Certainty
from imago.core.errors import ImagoError
from imago.predict.predictor import Predictor, Reason

PATHS = frozenset({"/health", "/models", "/openapi.json", "/predict"})

Probability = Annotated[float, Field(ge=0, le=1)]


class Health(BaseModel):
    """That the endpoint is up."""

    status: Literal["ok"]
    models: int = Field(ge=0, description="that can be loaded")
    broken: list[str] = Field(description="the names of those that cannot; /models says why")


class Model(BaseModel):
    """A model that can be asked."""

    name: str
    classes: list[str]
    shape: list[int] = Field(description="(H, W, C) of the pixels that images are brought to")


class Broken(BaseModel):
    """A model that cannot be loaded."""

    name: str
    reason: str


class Models(BaseModel):
    """All models that can be asked, and those that cannot be loaded."""

    models: list[Model]
    broken: list[Broken]


class Share(BaseModel):
    """A class and its probability."""

    label: str
    probability: Probability


class Answer(BaseModel):
    """What a model says of an image."""

    status: Literal["ok"] = "ok"
    name: str = Field(description="of the file")
    label: str = Field(description="the likeliest class")
    probability: Probability
    certainty: Certainty = Field(description="the probability in words")
    unsure: Reason | None = Field(
        default=None,
        description="why the answer is none to rely on, where the model knows its limits: it is "
        "too improbable, or the image is unlike those that the model learnt from",
    )
    distance: float | None = Field(
        default=None, description="to the training images, where the model tells it"
    )
    top: list[Share] = Field(description="the likeliest classes, the likeliest first")


class Refusal(BaseModel):
    """Why a file got no answer."""

    status: Literal["refused"] = "refused"
    name: str = Field(description="of the file")
    fault: intake.Fault
    reason: str


class Answers(BaseModel):
    """Answers in the order of the files, one or more of them of status ok."""

    model: str
    images: list[Annotated[Answer | Refusal, Field(discriminator="status")]]


class Problem(BaseModel):
    """Why a request got no answer."""

    detail: str


class Refusals(Problem):
    """None of the files could be used."""

    images: list[Refusal] = []


_PROBLEMS = {
    400: "The body is no whole multipart/form-data.",
    404: "There is no such model.",
    408: f"The body took longer than {limits.BODY_TIMEOUT_S} seconds.",
    413: f"More than {limits.IMAGES} files, {limits.IMAGE_BYTES:,} bytes in each, "
    f"or {limits.REQUEST_BYTES:,} bytes in all.",
    415: "The body is not multipart/form-data.",
    422: "A parameter breaks its rule, or none of the files is an image that can be decoded.",
    503: "Too many requests at a time; try again after Retry-After seconds.",
}
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {
                    "images": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": limits.IMAGES,
                        "items": {"type": "string", "format": "binary"},
                        "description": "JPEG, PNG, HEIC, WebP, AVIF, GIF, BMP or TIFF of at most "
                        f"{limits.IMAGE_BYTES:,} bytes and {limits.PIXELS:,} pixels",
                    }
                },
            }
        }
    },
}

api = FastAPI(
    title="imago",
    summary="Classes of images, by the models that this project has trained.",
    description="A model knows its classes and nothing else: it gives one of them for any image, "
    "and says `unsure` where it has been given limits. "
    "Images are held in memory while they are answered, and not stored.",
    version="1",
    docs_url=None,  # these two pages would load scripts from other hosts
    redoc_url=None,
)
_busy = asyncio.Semaphore(limits.REQUESTS)
_bodies = bodies.Bodies()


@api.exception_handler(RequestValidationError)
async def invalid(_: Request, error: Exception) -> JSONResponse:
    """Say a broken rule in a line, as all other problems are said."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in found]
    return JSONResponse({"detail": "; ".join(faults)}, 422)


@api.head("/health", include_in_schema=False)
@api.get("/health")
def health() -> Health:
    """Tell that the endpoint is up."""
    found = models()
    broken = [model.name for model in found.broken]
    return Health(status="ok", models=len(found.models), broken=broken)


@api.get("/models")
def models() -> Models:
    """List the models that can be asked, and the classes that each knows."""
    found = list(catalog.models())
    return Models(
        models=[
            Model(name=name, classes=list(one.classes), shape=list(one.form.shape))
            for name, one in found
            if isinstance(one, Predictor)
        ],
        broken=[Broken(name=name, reason=one) for name, one in found if isinstance(one, str)],
    )


@api.post(
    "/predict",
    response_model=Answers,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": _BODY},
    responses={
        code: {"description": text, "model": Refusals if code in (413, 422) else Problem}
        for code, text in _PROBLEMS.items()
    },
)
async def predict(
    request: Request,
    model: Annotated[str, Query(description="its name, as /models lists it")],
    top: Annotated[int, Query(ge=1, le=1000, description="how many classes to give")] = 5,
) -> Answers | JSONResponse:
    """Classify one or more images.

    A file that cannot be used gets a refusal in its place, and the others their answers.
    """
    predictor = await run_in_threadpool(_load, model)
    _check_is_free()
    with _bodies.one() as body:
        files = await _files(request, body)
        _check_is_free()  # again, for no body that is still to come holds a place
        async with _busy:
            found = await run_in_threadpool(_answers, predictor, files, top)
    if body.bytes > memory.LARGE_BYTES:
        await run_in_threadpool(memory.give_back)
    refused = [each for each in found if isinstance(each, Refusal)]
    if len(refused) == len(found):
        code = 413 if all(each.fault == "too_large" for each in refused) else 422
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in refused)
        return JSONResponse(Refusals(detail=reasons, images=refused).model_dump(), code)
    return Answers(model=model, images=found)


def _check_is_free() -> None:
    if _busy.locked():
        raise _full()


def _full() -> HTTPException:
    return HTTPException(503, "too many requests at a time", {"Retry-After": "1"})


def _load(name: str) -> Predictor:
    known = catalog.names()
    if name not in known:  # before it becomes part of a path
        raise HTTPException(404, f"model must be one of {', '.join(known) or 'none'}")
    try:
        return catalog.load(name)
    except (ImagoError, OSError) as error:
        raise HTTPException(404, f"model {name} cannot be loaded: {error}") from error


async def _files(request: Request, body: bodies.Body) -> list[UploadFile]:
    """Read the body, and give the files in it."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "the body must be multipart/form-data")
    parser = _Parser(
        request.headers, _limited(request, body), max_files=limits.IMAGES, max_fields=0
    )
    parser.spool_max_size = limits.REQUEST_BYTES + 1  # beyond which Starlette would write to disk
    try:
        async with asyncio.timeout(limits.BODY_TIMEOUT_S):
            form = await parser.parse()
    except TimeoutError as error:
        raise HTTPException(408, "the body took too long") from error
    except ClientDisconnect as error:  # of which nobody hears
        raise HTTPException(400, "the body ended early") from error
    except MultiPartException as error:
        raise HTTPException(*_said(error)) from error
    names = ", ".join(sorted({intake.shown(key) for key in form})) or "none"
    if names != "images":
        await form.close()
        raise HTTPException(422, f"the files must all be sent as images, got {names}")
    return [file for _, file in form.multi_items() if isinstance(file, UploadFile)]


class _Parser(MultiPartParser):
    """Refuses a body that ends before its last boundary, of which Starlette takes what there is."""

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], **bounds: int
    ) -> None:
        super().__init__(headers, self._whole(stream), **bounds)
        self._has_ended = False

    def on_end(self) -> None:
        super().on_end()
        self._has_ended = True

    async def _whole(self, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for part in stream:
            yield part
        if not self._has_ended:
            message = "the body ended before its last boundary"
            raise MultiPartException(message)


def _said(error: MultiPartException) -> tuple[int, str]:
    """Return the code and the words for a body that cannot be read."""
    if error.message.startswith("Too many fields"):
        return 422, "images must be files, as of `curl -F images=@cat.jpg`, got a text"
    return 413 if error.message.startswith("Too many files") else 400, error.message


async def _limited(request: Request, body: bodies.Body) -> AsyncGenerator[bytes, None]:
    """Yield the body, counting: the header Content-Length may say anything, or be missing."""
    async for part in request.stream():
        if not body.take(len(part)):
            raise _full()
        if body.bytes > limits.REQUEST_BYTES:
            message = f"the body must have at most {limits.REQUEST_BYTES:,} bytes"
            raise HTTPException(413, message)
        yield part


def _answers(predictor: Predictor, files: list[UploadFile], top: int) -> list[Answer | Refusal]:
    """Answer or refuse each file, in their order; one decoded image is held at a time."""
    found: list[Answer | Refusal] = []
    for file in files:
        with file.file as content:
            photo = _for_model(predictor, file.filename or "", content.read())
        if isinstance(photo, intake.Rejected):
            found.append(Refusal(name=photo.name, fault=photo.fault, reason=photo.reason))
            continue
        (said,) = predictor.predictions(photo.pixels[np.newaxis])
        found.append(
            Answer(
                name=photo.name,
                label=said.label,
                probability=said.probability,
                certainty=certainty.of(said),
                unsure=said.unsure,
                distance=said.distance,
                top=[Share(label=label, probability=share) for label, share in said.top(top)],
            )
        )
    return found


def _for_model(predictor: Predictor, name: str, content: bytes) -> intake.Photo | intake.Rejected:
    """Return a photo of the model's size, and leave the large one behind."""
    with intake.DECODING:
        photo = intake.examine(name, content)
        if isinstance(photo, intake.Rejected):
            return photo
        return intake.Photo(photo.name, predictor.pixels(content))
