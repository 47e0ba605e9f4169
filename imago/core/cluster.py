"""The processes that train one model together, on one machine or several, as TF_CONFIG says.

Whoever starts them sets it in the environment of each: SLURM, Kubeflow, or imago by Dask. It is
read here without TensorFlow, which reads it too.

Source: https://www.tensorflow.org/guide/distributed_training#TF_CONFIG
"""

import json
import os
from dataclasses import dataclass
from typing import Any

from imago.core.errors import ClusterError

VARIABLE = "TF_CONFIG"


@dataclass(frozen=True)
class Member:
    """This process among those that train together."""

    index: int
    """From 0, which is the chief: it alone writes."""
    count: int

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes."""
        return self.index == 0


def member() -> Member:
    """Return which process this is; the only one where TF_CONFIG is not set.

    Raises:
        ClusterError: TF_CONFIG is set to what names no process that trains.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return Member(0, 1)
    try:
        config = json.loads(text)
        kind, index = config["task"]["type"], int(config["task"]["index"])
        addresses = {name: len(config["cluster"].get(name, ())) for name in ("chief", "worker")}
        if index not in range(addresses[kind]):
            message = f"there is no {kind} {index}"
            raise IndexError(message)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        message = (
            f'{VARIABLE} must be JSON such as {_example()}, with a task of the type "chief" or '
            f'"worker", got {text!r}: {error}; unset it to train in one process'
        )
        raise ClusterError(message) from error
    before = addresses["chief"] if kind == "worker" else 0
    return Member(before + index, sum(addresses.values()))


def config(addresses: list[str], index: int) -> str:
    """Return TF_CONFIG of one of the processes at these addresses, each a host:port."""
    task: dict[str, Any] = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": addresses}, "task": task})


def _example() -> str:
    return config(["host:port", "host:port"], 0)
