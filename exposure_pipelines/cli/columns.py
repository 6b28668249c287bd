"""Widths of a table's columns: nothing is cut off, and words break where a reader expects it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

#: Where a text may go on in the next line: after white space, and after what joins the parts of names, paths and ids,
#: not in dates and addresses.
PIECES = re.compile(r"\S*?[_/:,;@.=-](?:(?=[^\s\d_/:,;@.=-])|(?<=[^\W\d_].)(?=\d))\s*|\S+\s*")
WORDS = re.compile(r"\S*\s*")
#: A piece longer than this is an id or a hash: it may be broken anywhere.
LONGEST_PIECE = 16
#: So much more is given to a column before others share what is left.
LITTLE = 8
#: Room between two columns, the widest that fits.
GAPS = (3, 2, 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide each column is, and how far they stand apart."""

    widths: tuple[int, ...]
    gap: int


def layout(columns: Sequence[Sequence[str]], room: int) -> Layout:
    """Widths for the cells of each column, heading included, that fit into `room` with one space at either edge."""
    natural = [max(cell_len(line) for cell in cells for line in cell.splitlines() or [""]) for cells in columns]
    least = [max(min(longest_piece(cell), LONGEST_PIECE) for cell in cells) for cells in columns]
    for gap in GAPS:
        free = room - 2 - gap * (len(columns) - 1)
        if sum(least) <= free:
            return Layout(tuple(shared(least, natural, free)), gap)
    return Layout(tuple(squeezed(least, room - 2 - GAPS[-1] * (len(columns) - 1))), GAPS[-1])


def longest_piece(cell: str) -> int:
    return max((cell_len(piece.rstrip()) for piece in PIECES.findall(cell)), default=0)


def shared(least: Sequence[int], natural: Sequence[int], free: int) -> list[int]:
    """What is left over goes to the columns that need little of it first, so that short ones do not break at all."""
    widths, left = list(least), free - sum(least)
    needy = sorted(range(len(least)), key=lambda column: natural[column] - least[column])
    for place, column in enumerate(needy):
        need = max(0, natural[column] - least[column])
        more = need if need <= min(left, LITTLE) else min(need, left // (len(needy) - place))
        widths[column] += more
        left -= more
    return widths


def squeezed(least: Sequence[int], free: int) -> list[int]:
    """Too little room even for whole words: the widest column gives a character, again and again."""
    widths = list(least)
    while sum(widths) > free and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def wrapped(cell: str, width: int) -> str:
    """The cell in lines of at most `width`."""
    return "\n".join(line for text in cell.splitlines() or [""] for line in lines(text, width))


def lines(text: str, width: int) -> list[str]:
    found, line = [], ""
    for part in parts(text, width):
        whole = part.rstrip()
        if line and cell_len(line + whole) > width:
            found.append(line.rstrip())
            line = ""
        *full, line = chop_cells(line + whole, width) or [""]
        found += full
        line += part[len(whole) :]
    return [*found, line.rstrip()]


def parts(text: str, width: int) -> Iterator[str]:
    """Words, and pieces of those that are longer than a line."""
    for word in WORDS.findall(text):
        if cell_len(word.rstrip()) <= width:
            yield word
        else:
            yield from PIECES.findall(word)
