"""The folder that a result is written to: tables for programs, and a page for people.

metrics.json      what metrics/<experiment>.json has, but for the number of parameters
predictions.csv   a row for each photo, as predictions/<experiment>.parquet
per_class.csv     of each class, with the ends of the recall's interval
confusion.csv     of each pair of a true and a predicted class
left_out.csv      each file that has no answer, and why
index.html        all of it, with the photos that are named wrong
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from imago.core import files
from imago.core.errors import DataError
from imago.inspecting import thumbnails
from imago.photos.decoding import UnreadableError, decode
from imago.predict.predictor import GREATEST_PIXELS
from imago.reports import rendering
from imago.score import rendering as texts
from imago.score.labelled import Labelled
from imago.score.result import Result
from imago.scoring import predictions, summary
from imago.scoring.floors import Floor

PAGE = "index.html"
EXAMPLES, SUREST = 8, 24
"""Photos that the page shows: of each confusion, and of those that are named wrong most surely."""
LEFT_OUT = 200
"""Files that the page names, of which left_out.csv has all."""


def check(folder: Path) -> None:
    """Find a file in the place of the folder, before anything is scored. Raises DataError."""
    if folder.exists() and not folder.is_dir():
        message = f"{folder}: --output must be a folder, got a file; name another place"
        raise DataError(message)


def write(folder: Path, result: Result, floors: Sequence[Floor], photos: Labelled) -> None:
    """Write the files, each whole; what else is in the folder stays.

    Args:
        folder: Is made if it is not there.
        result: What to write.
        floors: That were asked for.
        photos: Open for reading, so that the page can show them.
    """
    summary.write(folder / "metrics.json", result.metrics)
    files.write_csv(folder / "predictions.csv", predictions.table(result.predictions))
    files.write_csv(folder / "per_class.csv", result.per_class)
    files.write_csv(folder / "confusion.csv", result.confusion)
    missing = pd.DataFrame(_without_answer(result), columns=["path", "reason"])
    files.write_csv(folder / "left_out.csv", missing)
    files.write_text(folder / PAGE, page(result, floors, photos))


def page(result: Result, floors: Sequence[Floor], photos: Labelled) -> str:
    """Render the page; the photos that it shows are read once more."""
    found = result.predictions
    wrong = sorted((~found.right).nonzero()[0].tolist(), key=lambda row: -found.confidence[row])

    def thumbnail(row: int) -> str:
        try:
            image = decode(photos.archive.read(found.photos[row]), GREATEST_PIXELS)
        except (DataError, UnreadableError):  # it has changed since
            return "data:,"
        return thumbnails.data_uri(image)

    missing = list(_without_answer(result))
    return rendering.page(
        "score.html",
        result=result,
        title=texts.title(result),
        interval=texts.interval,
        leading=result.shown[0],
        floors=floors,
        classes=result.per_class.to_dict("records"),
        examples=EXAMPLES,
        surest=wrong[:SUREST],
        wrong=len(wrong),
        thumbnail=thumbnail,
        left_out=missing[:LEFT_OUT],
        left_out_total=len(missing),
    )


def _without_answer(result: Result) -> Iterator[tuple[str, str]]:
    yield from sorted(result.answers.unreadable.items())
    yield from sorted(result.left_out.items())
