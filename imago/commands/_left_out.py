"""What several commands say of files that they leave out."""

from collections.abc import Iterator, Mapping

from imago import terminal


def said_of(reasons: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each reason: how many files, and one of them.

    Args:
        reasons: Path of each file: why it is left out.
    """
    paths: dict[str, list[str]] = {}
    for path, reason in reasons.items():
        paths.setdefault(reason.partition(":")[0], []).append(path)
    for reason, some in sorted(paths.items(), key=lambda item: -len(item[1])):
        count, one = len(some), terminal.printable(some[0])
        yield f"left out: {count:,} {reason}" + (f", such as {one}" if count > 1 else f": {one}")
