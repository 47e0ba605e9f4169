"""Start a cluster of Dask on this machine, until Ctrl+C.

    imago cluster --workers 2
    export IMAGO_SCHEDULER=tcp://127.0.0.1:8786       (in another terminal)

For trying what docs/scale.md tells of; on one machine the stages take all its cores without it.
"""

import argparse
import os
import time
import warnings

from imago.commands import _arguments
from imago.core.errors import AddressError, ClusterError

LOOK_EVERY_S = 5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--workers",
        type=_arguments.positive,
        default=os.cpu_count() or 1,
        help="processes that work, each on one thread; one for each core",
    )
    parser.add_argument("--port", type=_arguments.port, default=8786, help="of the scheduler; 8786")


def run(chosen: argparse.Namespace) -> int:
    """Start it, say its address, and wait to be interrupted."""
    try:
        import distributed
    except ImportError as error:
        message = 'the package distributed must be installed: `pip install "imago[cluster]"`'
        raise ClusterError(message) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a dashboard's port that is taken: it gets another
        try:
            running = distributed.LocalCluster(
                n_workers=chosen.workers,
                threads_per_worker=1,
                processes=True,
                scheduler_port=chosen.port,
                dashboard_address=":0",
                silence_logs="ERROR",
            )
        except (OSError, RuntimeError) as error:
            message = (
                f"port {chosen.port} must be free, and cannot be served: {error}; name another "
                "with --port"
            )
            raise AddressError(message) from error
    with running:
        print(f"{chosen.workers} workers; in another terminal, or before a command:\n")
        print(f"    export IMAGO_SCHEDULER={running.scheduler_address}\n")
        print("stop with Ctrl+C", flush=True)
        while True:
            time.sleep(LOOK_EVERY_S)
            # One that is killed as it begins is given up, and then its number stays taken.
            for number, worker in [*running.workers.items()]:
                if worker.status == distributed.Status.failed:
                    del running.workers[number]
            running.scale(chosen.workers)
