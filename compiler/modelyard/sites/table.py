"""Read a CSV file into cells with their locations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from modelyard.diagnostics import sites as tell
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.bounds import at_most
from modelyard.inputs import InputFile
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import SourceFile, Span

MOST_MIB: Final = 10
MOST_ROWS: Final = 10_000

_COLUMN: Final = pattern(r"[A-Za-z][-A-Za-z0-9_]{0,39}\Z")
_CONTROL: Final = pattern(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_QUOTED: Final = pattern(r'"((?:[^"]|"")*)"[ \t]*(?=,|\Z)')
_SPACES: Final = " \t"


class Cell(NamedTuple):
    """A value in a table: its text, its location, and whether it is quoted."""

    text: str
    line: int
    column: int
    end_column: int
    quoted: bool

    def span(self, file: str) -> Span:
        """Return the cell's span. For an empty cell, this is the character where it would begin."""
        return Span(file, self.line, self.column, max(self.end_column, self.column + 1))


@record
class Table:
    """The columns and rows of a CSV file, in order. Each row has a cell for every column."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def read_table(file: InputFile, member: str = "site") -> tuple[Table | None, tuple[Diagnostic, ...]]:
    """Read a CSV file with a header row. `member` says what each remaining row describes: `site` or `row`.

    Returns None if the file contains an error.
    """
    start = Span(file.path, 1, 1, 2)
    if len(file.content) > MOST_MIB * 2**20:
        reason = f"the file is larger than {MOST_MIB} MiB"
        return None, (
            tell.sites_unreadable(start, member, file.path, reason, "keep only the columns that the spec uses"),
        )
    if isinstance(file.content, bytes) and (refused := _undecodable(file.content)):
        return None, (tell.sites_unreadable(start, member, file.path, refused, "save it as UTF-8"),)
    source = SourceFile.read(file.path, file.content)
    problems = list(_controls(source))
    if problems:
        return None, at_most(problems)
    rows = list(_rows(source, member, problems))
    if not problems:
        problems += _refused(source.path, member, rows)
    if problems:
        return None, at_most(problems)
    return Table(source.path, tuple(cell.text for cell in rows[0]), tuple(rows[1:])), ()


def _undecodable(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as problem:
        return f"line {content.count(10, 0, problem.start) + 1} is not UTF-8"
    return ""


def _controls(source: SourceFile) -> Iterator[Diagnostic]:
    if _CONTROL.search(source.text) is None:
        return
    lines = source.lines()
    for at in range(len(lines)):
        for match in _CONTROL.finditer(lines[at]):
            span = Span(source.path, at + 1, match.start() + 1, match.end() + 1)
            code = f"U+{ord(match[0]):04X}"
            yield tell.malformed_table(span, f"the line contains the invisible character {code}", "delete it")


def _rows(source: SourceFile, member: str, problems: list[Diagnostic]) -> Iterator[tuple[Cell, ...]]:
    """Yield the cells of each nonempty line, stopping after the first line beyond the limit."""
    lines = source.lines()
    count = 0
    for at in range(len(lines)):
        line = lines[at]
        cells = _quoted(line, at + 1, source.path, problems) if '"' in line else _plain(line, at + 1)
        if not any(cell.text or cell.quoted for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS + 1:
            span = Span(source.path, at + 1, 1, 2)
            hint = f"divide the {member}s among several {'lists' if member == 'row' else 'targets'}"
            problems.append(tell.malformed_table(span, f"the file has more than {MOST_ROWS} {member}s", hint))
            return
        yield cells


def _plain(line: str, number: int) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    start = 0
    for piece in line.split(","):
        text = piece.strip(_SPACES)
        column = start + len(piece) - len(piece.lstrip(_SPACES)) + 1 if text else start + 1
        cells.append(Cell(text, number, column, column + len(text), False))
        start += len(piece) + 1
    return tuple(cells)


def _quoted(line: str, number: int, file: str, problems: list[Diagnostic]) -> tuple[Cell, ...]:
    """Split a line that contains quotes. After an error, the rest of the line becomes a single cell."""
    cells: list[Cell] = []
    at = 0
    while True:
        begin = at + len(line[at:]) - len(line[at:].lstrip(_SPACES))
        match = _QUOTED.match(line, begin) if line[begin : begin + 1] == '"' else None
        if match is not None:
            cells.append(Cell(match[1].replace('""', '"'), number, begin + 1, begin + len(match[1]) + 3, True))
            at = match.end()
        else:
            end = line.find(",", begin)
            end = len(line) if end < 0 else end
            if '"' in line[begin:end]:
                problems.append(_bad_quote(line, begin, number, file))
                return (*cells, Cell(line[begin:], number, begin + 1, len(line) + 1, True))
            cells.append(_plain(line[at:end], number)[0]._replace(column=begin + 1, end_column=begin + 1))
            text = cells[-1].text
            cells[-1] = cells[-1]._replace(end_column=begin + 1 + len(text))
            at = end
        if at >= len(line):
            return tuple(cells)
        at += 1


def _bad_quote(line: str, begin: int, number: int, file: str) -> Diagnostic:
    at = line.index('"', begin)
    span = Span(file, number, at + 1, at + 2)
    if line[begin] != '"':
        hint = 'put the value in quotes, and double each quote inside: ""'
        return tell.malformed_table(span, "an unquoted value contains a quote", hint)
    closed = line.count('"', begin) % 2 == 0
    problem = "text follows the closing quote" if closed else "the quote is not closed on its line"
    return tell.malformed_table(span, problem, 'put the whole value in quotes, and double each quote inside: ""')


def _refused(file: str, member: str, rows: list[tuple[Cell, ...]]) -> Iterator[Diagnostic]:
    """Report an empty file, invalid columns, and lines with too few or too many values."""
    if not rows:
        start = Span(file, 1, 1, 2)
        yield tell.malformed_table(start, "the file is empty", "begin it with a line that names the columns")
        return
    head, *rest = rows
    yield from _bad_columns(file, member, head)
    if not rest:
        yield tell.malformed_table(head[0].span(file), f"the file has no {member}s", f"add a line for each {member}")
    for row in rest:
        if len(row) != len(head):
            span = Span(file, row[0].line, row[0].column, row[-1].end_column)
            problem = f"the line has {_values(len(row))}, but the first line has {len(head)}"
            hint = "values that contain a comma must be in double quotes" if len(row) > len(head) else ""
            yield tell.malformed_table(span, problem, hint or "add the missing values, or commas for empty ones")


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _bad_columns(file: str, member: str, head: tuple[Cell, ...]) -> Iterator[Diagnostic]:
    names = [cell.text for cell in head]
    separator = next((mark for mark in ";\t|" if len(head) == 1 and mark in head[0].text), "")
    if separator:
        yield tell.bad_columns(head[0].span(file), "the columns are not separated by commas", "use commas")
        return
    for at, cell in enumerate(head):
        if cell.text in names[:at]:
            problem = f"column {quote(cell.text)} appears twice"
            yield tell.bad_columns(cell.span(file), problem, "rename or remove one of them")
        elif not _COLUMN.match(cell.text):
            hint = "use at most 40 letters, digits, hyphens and underscores, starting with a letter"
            yield tell.bad_columns(cell.span(file), f"{quote(cell.text)} is not a valid column name", hint)
    if "name" not in names:
        hint = f"rename the column that holds the {member} names to `name`"
        yield tell.bad_columns(head[0].span(file), "there is no column 'name'", hint)
