"""Accuracy on the test split over several seeds: python -m bench.seeds EXPERIMENT [SEED ...].

One seed's accuracy is partly luck; this prints that of each seed and their mean. It needs the
experiment's prepared data (dvc repro prepare@<variant>), whose validation split stays as it is.
"""

import argparse
import statistics

from bench import trainings


def main() -> None:
    """Print a line for each seed, then mean, lowest and highest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment")
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3, 4, 5])
    arguments = parser.parse_args()
    found = []
    for seed in arguments.seeds:
        found.append(trainings.with_imago(arguments.experiment, seed).accuracy)
        print(f"{arguments.experiment} seed {seed}: {found[-1]:.4f}", flush=True)
    mean = statistics.mean(found)
    print(f"{arguments.experiment} mean {mean:.4f}, from {min(found):.4f} to {max(found):.4f}")


if __name__ == "__main__":
    main()
