"""Say what images show, by a model that the stage export wrote.

An image is a file, a folder (every image in it and below, and where links lead; what is left out is
said), a pattern in quotes, an http(s) URL, or `-`, the bytes of an image on standard input. JPEG,
PNG, HEIC, AVIF, WebP, GIF, BMP and TIFF of any size and colours are read, and turned upright.
Answers come in the order of the images: as a table on a terminal, else as JSON lines.

A model that knows light things on dark ground, such as digits, takes a dark thing on a light ground
as well: images are inverted where their border asks for it (--polarity), and where they are larger
or smaller than the model's input, the thing in them is found and put where the training images have
theirs (--whole-image leaves that out).

A model that was given limits (`unsure` in its set of exports) answers `unsure` where it is not
sure enough, or where an image is unlike those that it learnt from; --threshold sets another limit.

Exit codes: 0 every image has an answer; 1 nothing could be done, such as for want of a model;
2 wrong arguments; 3 some images could not be read: each is a line on standard error, and the others
have their answers; 4 all could be read, and some answers are `unsure`.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator

from imago import terminal
from imago.commands._arguments import positive, probability
from imago.commands._left_out import said_of
from imago.core.errors import ImageError
from imago.predict import bulk, given, models, output
from imago.predict.given import Given
from imago.predict.predictor import Predictor

UNREADABLE, UNSURE = 3, 4
"""Exit codes."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    add = parser.add_argument
    add("images", nargs="*", help="files, folders, patterns, URLs, or - for standard input")
    add("--from", dest="listed", metavar="FILE", help="more of them, one a line; - for stdin")
    add("--model", help="an experiment, or an exported folder or file; else the only one there is")
    add("--format", choices=("table", "jsonl", "csv"), help="else by where the answers go")
    add("--top", type=positive, default=3, metavar="K", help="classes to tell; else %(default)s")
    add(
        "--threshold",
        type=probability,
        metavar="P",
        help="probability, 0 to 1, under which the answer is `unsure`, in place of the model's own "
        "limit; that of images unlike its own stays, but for 0: never unsure",
    )
    add("--polarity", choices=("auto", "as_is", "inverted"), default="auto")
    add("--whole-image", action="store_true", help="do not look for the thing in it")
    add("--workers", type=positive, metavar="N", help="cores to work on, at most; else all")


def run(chosen: argparse.Namespace) -> int:
    """Answer for each image, and return the exit code."""
    if not chosen.images and not chosen.listed:
        print("imago predict: name an image, or - for standard input", file=sys.stderr)
        return 2
    if chosen.images.count(given.STDIN) + (chosen.listed == given.STDIN) > 1:
        print("imago predict: - is standard input, which is read once", file=sys.stderr)
        return 2
    options = {
        "polarity": chosen.polarity,
        "find_subject": not chosen.whole_image,
        "threshold": chosen.threshold,
    }
    predictor = models.load(chosen.model, threads=1, **options)
    if predictor.lacks_distance:
        message = f"{predictor.path} does not tell how unlike the training images one is"
        print(f"imago predict: {message}, so no answer is `unsure` for that", file=sys.stderr)
    loaded = [predictor]

    def load() -> Predictor:
        try:
            return loaded.pop()  # the first worker takes the one that there is
        except IndexError:
            return predictor.twin(threads=1)

    kind = chosen.format or ("table" if sys.stdout.isatty() else "jsonl")
    left_out: given.LeftOut = {}
    images: Iterable[Given] = given.expand(_words(chosen), left_out)
    if kind == "table" or not chosen.listed:  # names for the columns' widths, and how many
        images = list(images)
    top = min(chosen.top, len(predictor.classes))
    head, row = _rows(kind, top, predictor, images)
    if head is not None:
        print(head, flush=True)
    cores = os.cpu_count() or 1
    threads = min(chosen.workers or cores, cores)  # more of them would only take memory
    answered = bulk.predict(images, load, threads, predictor.elsewhere)
    code = _print(_shown(answered, images), row)
    for line in said_of(left_out):
        print(f"imago predict: {line}", file=sys.stderr)
    return code


def _print(answers: Iterable[bulk.Answered], row: output.Row) -> int:
    """Print each answer as it comes, and return the exit code."""
    unreadable = unsure = 0
    for image, found in answers:
        if isinstance(found, ImageError):
            print(f"imago predict: {terminal.printable(str(found))}", file=sys.stderr, flush=True)
            unreadable += 1
        else:
            print(row(image.name, found), flush=True)
            unsure += found.unsure is not None
    return UNREADABLE if unreadable else UNSURE if unsure else 0


def _words(chosen: argparse.Namespace) -> Iterator[str]:
    yield from chosen.images
    if chosen.listed:
        yield from given.lines(chosen.listed)


def _rows(
    kind: str, top: int, predictor: Predictor, images: Iterable[Given]
) -> tuple[str | None, output.Row]:
    if kind == "table":
        names = (image.name for image in images)
        width, may_be_unsure = terminal.columns(), predictor.may_be_unsure
        return output.table(top, names, predictor.classes, width, may_be_unsure=may_be_unsure)
    if kind == "csv":
        more = ["unsure"] * (predictor.description.unsure is not None)
        more += ["distance"] * predictor.tells_distance
        return output.comma_separated(top, more)
    return output.json_lines(top)


def _shown(answers: Iterator[bulk.Answered], images: Iterable[Given]) -> Iterator[bulk.Answered]:
    """Show on a terminal how far the work has come, where the answers themselves do not."""
    total = len(images) if isinstance(images, list) else None
    if sys.stdout.isatty() or not sys.stderr.isatty() or total == 1:
        return answers
    from imago.core import progress  # here, since one image must not wait for it

    return progress.over(answers, "predict", total, "images")
