"""Tests that CSV files written by people or spreadsheet programs can be read."""

from __future__ import annotations

import pytest

from modelyard.inputs import InputFile
from modelyard.sites.table import MOST_MIB, MOST_ROWS, read_table
from tests.narrowing import present


def rows(content: str | bytes) -> list[list[str]]:
    """Return the text of each cell in all lines after the first."""
    table, problems = read_table(InputFile("shops.csv", content))
    assert problems == ()
    return [[cell.text for cell in row] for row in present(table).rows]


def problems(content: str | bytes) -> list[str]:
    """Return the location, code and message of each problem with a table."""
    table, diagnostics = read_table(InputFile("shops.csv", content))
    assert table is None
    return [
        f"{diagnostic.span.line}:{diagnostic.span.column} {diagnostic.code} {diagnostic.message}"
        for diagnostic in diagnostics
        if diagnostic.span is not None
    ]


@pytest.mark.parametrize(
    "content",
    [
        "name,city\na,Graz\nb,Linz\n",
        "name,city\na,Graz\nb,Linz",
        "name,city\r\na,Graz\r\nb,Linz\r\n",
        b"\xef\xbb\xbfname,city\na,Graz\nb,Linz\n",
        " name , city\n\n a ,\tGraz \n,\nb,Linz\n\n",
        '"name","city"\n"a","Graz"\n"b" , "Linz"\n',
    ],
)
def test_forms_of_the_same_table(content: str | bytes) -> None:
    """Different line endings, a byte order mark, spaces, quotes and empty lines don't affect the result."""
    assert rows(content) == [["a", "Graz"], ["b", "Linz"]]


def test_quotes_protect_commas_quotes_and_spaces() -> None:
    assert rows('name,note\na," x, ""y"" "\n') == [["a", ' x, "y" ']]


def test_places_of_cells() -> None:
    """Columns are counted in the line as written, including quotes and spaces."""
    table, _ = read_table(InputFile("shops.csv", 'name,city,gate\n a,"Linz, Donau", g\n'))
    cells = present(table).rows[0]

    assert [(cell.line, cell.column, cell.end_column) for cell in cells] == [(2, 2, 3), (2, 4, 17), (2, 19, 20)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "1:1 E0661 the file is empty"),
        ("\n\n", "1:1 E0661 the file is empty"),
        ("name,city\n", "1:1 E0661 the file has no sites"),
        ("name;city\na;Graz\n", "1:1 E0662 the columns are not separated by commas"),
        ("shop,city\na,Graz\n", "1:1 E0662 there is no column 'name'"),
        ("name,name\na,b\n", "1:6 E0662 column 'name' appears twice"),
        ("name,gate way\na,b\n", "1:6 E0662 'gate way' is not a valid column name"),
        ("name,\na,b\n", "1:6 E0662 '' is not a valid column name"),
        ("name,city\na\n", "2:1 E0661 the line has 1 value, but the first line has 2"),
        ("name,city\na,Linz, Donau\n", "2:1 E0661 the line has 3 values, but the first line has 2"),
        ('name,city\na,"Linz\n', "2:3 E0661 the quote is not closed on its line"),
        ('name,city\na,"Linz" x\n', "2:3 E0661 text follows the closing quote"),
        ('name,city\na,Li"nz\n', "2:5 E0661 an unquoted value contains a quote"),
        ("name,city\na,Li\0nz\n", "2:5 E0661 the line contains the invisible character U+0000"),
        ("name,city\na,Li\u202enz\n", "2:5 E0661 the line contains the invisible character U+202E"),
        (b"name,city\na,K\xf6ln\n", "1:1 E0660 the sites cannot be read from 'shops.csv': line 2 is not UTF-8"),
        ("name\na\n".encode("utf-16"), "1:1 E0660 the sites cannot be read from 'shops.csv': it is UTF-16"),
    ],
)
def test_problems_are_at_their_place(content: str | bytes, problem: str) -> None:
    assert problems(content)[0] == problem


def test_large_files_are_refused_without_reading_all() -> None:
    too_many = "name\n" + "".join(f"s{number}\n" for number in range(MOST_ROWS + 1))

    assert problems(b"x" * (MOST_MIB * 2**20 + 1))[0].endswith(f"the file is larger than {MOST_MIB} MiB")
    assert problems(too_many) == [f"{MOST_ROWS + 2}:1 E0661 the file has more than {MOST_ROWS} sites"]
    assert len(problems("name,a\n" + "x\n" * (MOST_ROWS - 1))) < 1_100


def test_a_file_of_ten_megabytes_is_read() -> None:
    """Only columns in use count toward the size limit, so long notes on each site are accepted."""
    note = "n" * 1_000
    content = "name,note\n" + "".join(f"s{number},{note}\n" for number in range(MOST_ROWS))

    assert len(content) > 9 * 2**20
    assert len(rows(content)) == MOST_ROWS
