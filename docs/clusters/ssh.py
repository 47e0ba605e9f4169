"""A cluster of Dask on machines that are reached by SSH, until Ctrl+C.

    pip install "imago[cluster]"
    python docs/clusters/ssh.py HOST [HOST ...]

In the folder of the project. Each machine gets a worker for every core that this one has; the first
has the scheduler too. Names, ports and keys are those of ~/.ssh/config, known hosts those of
~/.ssh/known_hosts: `ssh HOST true` must ask nothing.
"""

import argparse
import contextlib
import os
import threading

from distributed import SSHCluster


def main() -> None:
    """Start it, say its address, and wait to be interrupted."""
    parser = argparse.ArgumentParser(description="A cluster of Dask by SSH, until Ctrl+C.")
    parser.add_argument("hosts", metavar="HOST", nargs="+", help="a machine")
    hosts = parser.parse_args().hosts
    with SSHCluster(
        [hosts[0], *hosts],
        worker_options={"nthreads": 1, "n_workers": os.cpu_count()},
        scheduler_options={"dashboard_address": ":0"},
        silence_logs="ERROR",
    ) as cluster:
        print(f"export IMAGO_SCHEDULER={cluster.scheduler_address}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
