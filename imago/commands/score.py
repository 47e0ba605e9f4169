"""Score a model on photos whose classes are known, other ones than those of its test.

    imago score pets new_photos.zip                a folder of photos for each class, in an archive
    imago score exports/pets new_photos/           or a folder, or several archives
    imago score pets photos/ labels.csv            with a table: path, label
    imago score pets pets/ --split test            those in its test folder alone
    imago score pets pets/ data/prepared/pets224/index.csv --split test      those that were drawn

MODEL is an experiment that is exported, its folder in exports, or a .tflite or .onnx file in it.
PHOTOS are what `imago add` takes; nothing is added, and nothing is unpacked to disk but a tar that
is compressed. They become pixels as those of the test split do, and the same metrics are counted:
on the test split they are those of metrics/<experiment>.json, to the last digit.

A floor is what a metric must reach, or, of one of which less is better, what it may be at most. The
floors of params.yaml are for the test split, which `imago gate` holds against them; they are not
asked for here.

Exit codes: 0 every floor is met; 1 one is missed, each a line on standard error; 2 could not score,
or wrong arguments.
"""

import argparse
import sys
from pathlib import Path

from imago.commands._arguments import positive, probability
from imago.scoring import floors, metric

CANNOT_TELL = 2
"""The exit code of a failure."""
GREATEST_UNREADABLE_FRACTION = 0.1
"""As `imago add` writes into params.yaml."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="an experiment, or an exported folder or file")
    add("photos", metavar="PHOTOS", nargs="+", type=Path, help="folders, archives, and a table")
    add(
        "--split",
        choices=("train", "validation", "test"),
        help="take the photos of this split alone; else all",
    )
    add(
        "--floor",
        dest="floors",
        action="append",
        default=[],
        type=floor,
        metavar="METRIC=VALUE",
        help="what a metric must reach, such as accuracy=0.95; may be given more than once",
    )
    add("--output", type=Path, metavar="FOLDER", help="write a page and tables into this folder")
    add("--json", action="store_true", help="print JSON, for a program")
    add(
        "--greatest-unreadable-fraction",
        type=probability,
        default=GREATEST_UNREADABLE_FRACTION,
        metavar="F",
        help="share of the photos that may be unreadable; else %(default)s",
    )
    add("--workers", type=positive, metavar="N", help="cores to work on, at most; else all")


def floor(text: str) -> floors.Floor:
    """Read METRIC=VALUE."""
    name, _, value = text.partition("=")
    allowed = {one.name: one for one in metric.known() if one.better is not None}
    if name not in allowed:
        message = f"must be of one of {', '.join(allowed)}, such as accuracy=0.95, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    try:
        bound = float(value)
    except ValueError as error:
        message = f"must be a number, such as {name}=0.95, got {text!r}"
        raise argparse.ArgumentTypeError(message) from error
    if not (0 <= bound <= 1 if allowed[name].kind == "share" else bound >= 0):  # NaN is neither
        rule = "0 to 1" if allowed[name].kind == "share" else "0 or more"
        message = f"{name} must be {rule}, got {value}"
        raise argparse.ArgumentTypeError(message)
    return floors.Floor(allowed[name], bound)


def run(chosen: argparse.Namespace) -> int:
    """Score, print what came of it, and return the exit code."""
    # Here, for they take longer to import than the other commands take to run.
    from imago import terminal
    from imago.commands._left_out import said_of
    from imago.predict import models
    from imago.score import answers, labelled, learnt, output, rendering
    from imago.score.result import Result

    if chosen.output:
        output.check(chosen.output)
    as_in_the_test = {"polarity": "as_is", "find_subject": False}
    predictor = models.load(chosen.model, "imago score", "MODEL", threads=1, **as_in_the_test)
    with labelled.opened(chosen.photos, predictor.classes, chosen.split) as photos:
        found = answers.ask(photos, predictor, chosen.greatest_unreadable_fraction, chosen.workers)
        result = Result(
            model=str(predictor.path),
            where=photos.where,
            split=chosen.split,
            answers=found,
            left_out=photos.left_out,
            learnt=learnt.count(found.predictions.images, predictor.description.experiment),
        )
        if chosen.output:
            output.write(chosen.output, result, chosen.floors, photos)
    if chosen.json:
        print(terminal.as_json(rendering.as_json(result, chosen.floors), indent=2))
    else:
        rendering.print_tables(result, terminal.console())
        if photos.table:
            print(photos.table)
        for line in (*said_of(found.unreadable), *said_of(photos.left_out)):
            print(line)
        if chosen.output:
            print(f"page: {chosen.output / output.PAGE}")
    missed = floors.missed(chosen.floors, result.metrics)
    for line in missed:
        print(f"imago score: {line}", file=sys.stderr)
    return 1 if missed else 0
