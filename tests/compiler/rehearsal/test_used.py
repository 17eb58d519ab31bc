"""Tests what keeps a rehearsal's old side from being retired, i.e. its addresses in the new side's registry."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from modelyard.rehearsal.used import addresses

TABLES = """\
CREATE TABLE experiments (artifact_location TEXT);
CREATE TABLE runs (artifact_uri TEXT);
CREATE TABLE logged_models (artifact_location TEXT);
CREATE TABLE model_versions (source TEXT, storage_location TEXT);
INSERT INTO runs VALUES ('file:///old/lake/runs/1'), ('file:///new/lake/runs/2'), (NULL);
INSERT INTO experiments VALUES ('file:///old/lake-2');
INSERT INTO model_versions VALUES ('file:///new/lake/models/1', 'file:///old/lake');
"""


def test_every_address_on_the_old_side_is_found_in_the_new_registry(tmp_path: Path) -> None:
    """A folder whose name merely starts with the given one doesn't count. An empty registry has no addresses."""
    database = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(TABLES)

    assert addresses(database, ["file:///old/lake"]) == ["file:///old/lake", "file:///old/lake/runs/1"]
    assert addresses(database, ["file:///new/other"]) == []
    assert addresses(database, []) == []
    assert addresses(tmp_path / "none.db", ["file:///old/lake"]) == []
