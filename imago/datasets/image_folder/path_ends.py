"""Files by the ends of their paths: tables know other folders around them, or none."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from imago.datasets.image_folder import label_studio


class PathEnds:
    """Finds files by the ends of their paths.

    Args:
        paths: Of all files.
        read: Makes of a path what is compared; no two become one.
    """

    def __init__(self, paths: Iterable[str], read: Callable[[str], str] = str) -> None:
        self._read = read
        self._whole = {read(path): path for path in paths}
        self._uploaded: defaultdict[str, list[str]] = defaultdict(list)
        for said, path in self._whole.items():
            self._uploaded[label_studio.uploaded_name(said.rpartition("/")[2])].append(path)
        self._complete: dict[str, list[str]] = {}
        for said, path in self._whole.items():
            for name in _with_and_without_suffix(said):
                self._complete.setdefault(name, []).append(path)
        self._by_end: dict[int, dict[str, list[str]]] = {}
        self._deepest = max((said.count("/") for said in self._whole), default=0)

    def of(self, said: str) -> list[str]:
        """Return the files that a table may mean: one, if all is well."""
        readings = [self._read(one) for one in label_studio.readings(said)]
        found = next(filter(None, map(self._of, readings)), [])
        return found or (self._uploaded[readings[-1]] if label_studio.is_uploaded(said) else [])

    def _of(self, said: str) -> list[str]:
        """Return the files whose ends are what is said, or else those that are its longest end."""
        if said in self._whole:
            return [self._whole[said]]
        folders = said.count("/")
        if folders <= self._deepest and (found := self._with_folders(folders).get(said)):
            return found
        parts = said.split("/")
        ends = ("/".join(parts[start:]) for start in range(1, len(parts)))
        return next((self._complete[end] for end in ends if end in self._complete), [])

    def _with_folders(self, count: int) -> Mapping[str, list[str]]:
        """Return the files by their names and so many folders before; few tables have two such."""
        if count not in self._by_end:
            found = self._by_end[count] = {}
            for whole, path in self._whole.items():
                parts = whole.split("/")
                end = "/".join(parts[-count - 1 :]) if count < len(parts) else None
                for name in _with_and_without_suffix(end) if end else ():
                    found.setdefault(name, []).append(path)
        return self._by_end[count]


def _with_and_without_suffix(path: str) -> list[str]:
    folders, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0]
    return [path, f"{folders}{slash}{stem}"] if stem else [path]
