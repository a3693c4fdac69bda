"""A CSV file as rows of cells, with the line on which each row begins."""

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from app.jobs.imports.problems import Problem

BLANK = " \t\r\n\u00a0"
"""What is cut from both ends of a cell."""

_HINT = "save the file as CSV UTF-8"


class Table:
    """The CSV file at `path`. What is wrong with it joins `problems`."""

    def __init__(self, path: Path, delimiter: str, problems: list[Problem]) -> None:
        self.path, self.delimiter, self.problems = path, delimiter, problems
        self.columns: list[str] = []
        """The header, once the first row has been read."""
        self._begins = 1

    def rows(self, needed: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Rows below the header, each with the line on which it begins; blank rows are left out.

        None come when the header lacks one of the columns `needed`.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._rows(file, needed)
        except csv.Error as error:
            self._add(self._begins, f"{_explained(error)}; the rows below were not read")
        except UnicodeDecodeError:
            self._add(*self._undecodable())

    def _rows(self, file: TextIO, needed: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._lines(file), delimiter=self.delimiter, strict=True)
        for cells in reader:
            line, self._begins = self._begins, reader.line_num + 1
            if not any(cell.strip(BLANK) for cell in cells):
                continue
            if not self.columns:
                if not self._take_header(line, cells, needed):
                    return
            elif len(cells) == len(self.columns):
                yield line, cells
            else:
                self._add(
                    line,
                    f"has {len(cells)} cells where the header has {len(self.columns)}: keep the empty "
                    "ones, and put a cell that holds the delimiter in quotes",
                )
        if not self.columns:
            self._add(1, "the file is empty: its first line must name the columns")

    def _lines(self, file: TextIO) -> Iterator[str]:
        for number, line in enumerate(file, start=1):
            if "\0" in line:
                self._add(
                    number, "must not hold a NUL byte: remove it, or save the file again as text"
                )
                yield line.replace("\0", "")
            else:
                yield line

    def _take_header(self, line: int, cells: list[str], needed: Sequence[str]) -> bool:
        self.columns = [unicodedata.normalize("NFC", cell.strip(BLANK)) for cell in cells]
        missing = [name for name in needed if name not in self.columns]
        if len(missing) == len(needed):
            other = [d for d in ",;\t|" if len(cells) == 1 and d in cells[0]]
            advice = (
                f"its cells seem to be separated by {other[0]!r}: give that as the delimiter"
                if other
                else "the first line must be the header"
            )
            self._add(line, f"has none of the columns that the mapping names; {advice}")
            return False
        for name in missing:
            self._add(line, "the header lacks this column: add it, or change the mapping", name)
        for name, times in Counter(filter(None, self.columns)).items():
            if times > 1:
                self._add(line, f"the header has this column {times} times: keep one", name)
        return not missing

    def _undecodable(self) -> tuple[int, str]:
        data = self.path.read_bytes()
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return 1, f"the file is UTF-16, not UTF-8: {_HINT}"
        if data.startswith(b"PK\x03\x04"):
            return 1, f"the file is a workbook or an archive, not CSV: {_HINT}"
        try:
            data.decode()
        except UnicodeDecodeError as error:
            line = len((data[: error.start] + b".").splitlines())
            return line, f"is not UTF-8 (byte 0x{data[error.start]:02X}): {_HINT}"
        return 1, "the file changed while it was read: run the import again"

    def _add(self, line: int, text: str, column: str | None = None) -> None:
        self.problems.append(Problem(line, column, text))


def _explained(error: csv.Error) -> str:
    said = str(error)
    if "end of data" in said or "field limit" in said:
        return "a quote that opens here is never closed: close it"
    if "expected after" in said:
        return "has a quote inside a quoted cell: write it twice"
    return said
