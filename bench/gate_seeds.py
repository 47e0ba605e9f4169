"""Predictions under several seeds: python -m bench.gate_seeds EXPERIMENT SEED [SEED …].

Writes .imago/seeds/<experiment>/<seed>.csv, as stages/evaluate.py would, for bench.gate, and skips
what is there. It needs the experiment's prepared data (dvc repro prepare@<variant>).
"""

import argparse

from bench import trainings
from imago.core import paths
from imago.scoring import predictions


def main() -> None:
    """Train and predict once for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("seeds", nargs="+", type=int)
    arguments = parser.parse_args()
    for seed in arguments.seeds:
        target = paths.WORK / "seeds" / arguments.experiment / f"{seed}.csv"
        if not target.exists():
            predictions.write(target, trainings.predict(arguments.experiment, seed))
            print(target, flush=True)


if __name__ == "__main__":
    main()
