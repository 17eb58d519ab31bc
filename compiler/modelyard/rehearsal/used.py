"""Find everything that still uses a rehearsal's old side and prevents it from being retired."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from modelyard.rehearsal.layout import Layout

_OPENED: Final = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
"""The columns in MLflow's tables that contain file addresses."""


def uses(layout: Layout, percent: int, schedules: Mapping[str, bool]) -> list[str]:
    """Describe everything that uses the old side: callers (with their percentage), schedules, objects and addresses."""
    findings = [f"callers: the old side still answers {percent} percent of requests"] if percent else []
    findings += [f"schedule {name} of the old side is not suspended" for name, off in schedules.items() if not off]
    for old, new in layout.pairs():
        missing = sorted(digests(old.folder).keys() - digests(new.folder).keys())
        if missing:
            findings.append(
                f"stores.{old.store}: {len(missing)} objects are only on the old side, such as {missing[0]}"
            )
    places = [old.folder.as_uri() for old, _ in layout.pairs()]
    opened = addresses(layout.state("new") / "mlflow.db", places)
    return [*findings, *(f"the new registry still uses an address on the old side: {address}" for address in opened)]


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of each object in a bucket's folder, by the object's path."""
    files = (path for path in sorted(folder.resolve().rglob("*")) if path.is_file())
    return {str(path.relative_to(folder.resolve())): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def addresses(database: Path, places: Sequence[str]) -> list[str]:
    """Return the addresses in a registry's database that MLflow would open at or below one of `places`.

    Addresses of training data aren't included. They remain in the run history wherever the data was stored.
    """
    if not database.exists() or not places:
        return []
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        opened = [
            str(row[0])
            for table, columns in _OPENED.items()
            for column in columns
            for row in connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        ]
    return sorted(
        {address for address in opened if any(address == place or address.startswith(f"{place}/") for place in places)}
    )
