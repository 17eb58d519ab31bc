"""Tests that the user code documentation lists the context's members, request bodies and the row limit."""

from __future__ import annotations

import re
from pathlib import Path

from modelyard_runtime.context import Context
from modelyard_runtime.serving.payloads import MOST_ROWS, rows_of

PAGE = (Path(__file__).parents[2] / "docs" / "user-code.md").read_text(encoding="utf-8")


def test_page_documents_every_context_member() -> None:
    table = PAGE.partition("| member |")[2].partition("\n\n")[0]
    cells = " ".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    documented = {name.partition("(")[0] for name in re.findall(r"`([^`]+)`", cells)}
    internal = {"workload", "tell", "reported"}

    assert documented == {name for name in dir(Context) if not name.startswith("_")} - internal


def test_server_accepts_every_body_in_the_page() -> None:
    bodies = [line for line in PAGE.splitlines() if line.startswith(('{"instances"', '{"dataframe'))]

    assert len(bodies) == 3
    for body in bodies:
        assert rows_of(body.encode()).frame().to_dict("records") == [{"age": 41, "income": 2.5}]


def test_page_documents_the_row_limit() -> None:
    assert f"at most {MOST_ROWS:,} rows".replace(",", " ") in PAGE
