"""Tables of text as programs and spreadsheets write them: CSV with whatever parts the cells."""

import csv
import io
import re
from typing import NamedTuple

from imago.core.errors import DataError

DELIMITERS = ",;\t|"
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BREAKS = "\r\n"
_NAMED_DELIMITER = re.compile(r'"?sep=(.)"?[\r\n]+', re.IGNORECASE)
"""A first line for Excel, which names what parts the cells."""
_LETTERS_SHOWN = 100
_NOT_CLOSED = "unexpected end of data"
"""What Python's reader says, if strict, of a quote that goes on to the end."""
_QUOTE = "a quote is opened and not closed; close it, or double it where it is part of a value"


class Line(NamedTuple):
    """Of a table.

    Attributes:
        number: Of its last line in the file, from 1 on; a cell may hold line breaks.
        cells: As many as the header has, or fewer.
    """

    number: int
    cells: list[str]


def read(content: bytes, where: str) -> tuple[list[str], list[Line]]:
    """Read a table: its header, and the lines that are not empty.

    Args:
        content: UTF-8, with a mark or without, or UTF-16 with one; cells parted by one of
            DELIMITERS, the one that is in the first line most often.
        where: Begins an error.

    Raises:
        DataError: It is in another encoding, a quote is not closed, or a line has more cells than
            the header, as one has whose value should be in quotes.
    """
    try:
        whole = content.decode(_MARKS.get(content[:2], "utf-8-sig"))
        text = whole.lstrip(_BREAKS)
        first = re.split(f"[{_BREAKS}]", text, maxsplit=1)[0]
        delimiter = max(DELIMITERS, key=first.count)
        if named := _NAMED_DELIMITER.match(text):
            delimiter, text = named[1], text[named.end() :]
        try:
            header, lines = _parsed(text, delimiter, strict=True)
        except csv.Error as error:
            if str(error) == _NOT_CLOSED:
                raise
            header, lines = _parsed(text, delimiter, strict=False)  # such as "a" b
    except (UnicodeDecodeError, csv.Error) as error:
        reason = _QUOTE if str(error) == _NOT_CLOSED else f"{error}; save it as such"
        message = f"{where}: must be a table in UTF-8, as CSV UTF-8 of Excel: {reason}"
        raise DataError(message) from error
    passed_over = len(whole[: len(whole) - len(text)].splitlines())
    lines = [Line(passed_over + number, cells) for number, cells in lines]
    for number, cells in lines:
        if any(cell.strip() for cell in cells[len(header) :]):
            said = delimiter.join(cells)[:_LETTERS_SHOWN]
            message = (
                f"{where}: line {number}: must have at most {len(header)} cells, as the first "
                f"line, got {len(cells)}: {said!r}; put a value with {delimiter!r} in it into "
                "quotes"
            )
            raise DataError(message)
    return header, lines


def _parsed(text: str, delimiter: str, *, strict: bool) -> tuple[list[str], list[Line]]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    header = next(rows, [])
    lines = [Line(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    return header, lines
