"""Say what of the DVC cache is in use, and what `dvc gc` would delete; deletes nothing.

In use is what this folder, the tip of a branch, a tag or a DVC experiment names. The rest is of
earlier commits, or of runs that were never committed.
"""

import argparse
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from imago import terminal
from imago.reports import numbers

if TYPE_CHECKING:
    from imago.project.tidy import Amount


def configure(_: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser: none."""


def run(_: argparse.Namespace) -> int:
    """Print amounts, and the command that deletes."""
    from imago.project import tidy  # here, for DVC takes a second to import

    found = tidy.look()
    print(f"in use: {_said(found.kept)}")
    if not found.goes:
        print("nothing else is in the DVC cache")
        return 0
    print(f"not in use: {_said(found.all_that_goes)}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("of")
    for title in ("files", "size"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, amount in found.goes.items():
        size = numbers.file_size(amount.byte_count)
        table.add_row(Text(name), numbers.count(amount.files), size)
    terminal.print_whole(table)
    if found.shared:
        print(f"{found.shared} lies outside of this project: what others keep there is not in use")
        print("here, and would go, too. Name the folder of each other project that uses it.")
    print("What has been pushed stays in the remote. To delete it here, for good:\n")
    print(f"    {tidy.COMMAND}" + (" --projects FOLDER …" if found.shared else ""))
    return 0


def _said(amount: "Amount") -> str:
    return f"{numbers.counted(amount.files, 'file')}, {numbers.file_size(amount.byte_count)}"
