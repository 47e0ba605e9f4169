"""Cross-validate a head on features: how good it is, and which settings are better.

    imago crossvalidate birds
    imago crossvalidate birds learning_rate=0.003,0.01 class_weights=null,balanced
    imago crossvalidate birds --folds 10

The training and validation images are divided into folds; each is scored by a head that learnt from
the others. Images that look alike, or that a table puts into one group, are never in two folds. The
test images are not looked at. Keys are those of the experiment's section `train`.
"""

import argparse

FOLDS = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("experiment", help="in params.yaml, on features")
    parser.add_argument(
        "values", nargs="*", metavar="key=values", help="value,value,… to be compared"
    )
    parser.add_argument(
        "--folds", type=folds, default=FOLDS, metavar="K", help="how many; else %(default)s"
    )


def folds(text: str) -> int:
    """Read a whole number of 2 or more."""
    number = int(text)
    if number < 2:
        message = f"must be 2 or more, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number


def run(chosen: argparse.Namespace) -> int:
    """Train on each fold, with each of the values, and print what came of it."""
    from imago.runtimes import quiet_tensorflow  # isort: skip - before what imports TensorFlow  # noqa: F401
    from imago import terminal  # here, for they take seconds to import
    from imago.sweep import crossvalidation, fold_scores

    results = crossvalidation.run(chosen.experiment, chosen.values, chosen.folds)
    terminal.print_whole(fold_scores.table(results))
    print(
        f"\nEach is the mean of {chosen.folds} folds, ± their standard deviation; what is smaller "
        "than that may be chance."
    )
    return 0
