"""Things that belong together, as pairs of them say."""

import numpy as np
from numpy.typing import NDArray


def joined(
    groups: NDArray[np.intp], one: NDArray[np.integer], other: NDArray[np.integer]
) -> NDArray[np.intp]:
    """Return the groups of N things after pairs of them have joined some: (N,), from 0 on.

    Groups are numbered in the order of their first things, if they were before.

    Args:
        groups: (N,), the number of each thing's group so far; of N alone `np.arange(N)`.
        one: (n,), the positions of one thing of each pair.
        other: (n,), those of the other.
    """
    from scipy.sparse import coo_array  # here, for it takes a while to import
    from scipy.sparse.csgraph import connected_components

    count = int(groups.max(initial=-1)) + 1
    ends = groups[one], groups[other]
    graph = coo_array((np.ones(len(one), np.bool_), ends), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1][groups], np.intp)
