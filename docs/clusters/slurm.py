"""A cluster of Dask whose workers are jobs of SLURM, until Ctrl+C.

    pip install "imago[cluster]" "dask-jobqueue==0.9.*"
    python docs/clusters/slurm.py

In the folder of the project, on a machine that those of the jobs can reach. A job that ends, by its
time or by chance, is followed by another: so each has one worker, for of several Dask would lose
sight.
"""

import contextlib
import threading

from dask_jobqueue import SLURMCluster

WORKERS = 64


def main() -> None:
    """Start it, say its address, and wait to be interrupted."""
    with SLURMCluster(
        cores=1,
        memory="4GiB",
        walltime="08:00:00",
        log_directory=".imago/slurm",
        scheduler_options={"dashboard_address": ":0"},
        # What else SLURM must know at your site: queue="main", account="mine",
        # job_extra_directives=["--constraint=epyc"]; the network of its machines: interface="ib0".
    ) as cluster:
        cluster.adapt(minimum=WORKERS, maximum=WORKERS)
        print(f"export IMAGO_SCHEDULER={cluster.scheduler_address}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
