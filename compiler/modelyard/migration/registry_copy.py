"""Copy the contents of an MLflow registry: experiments, runs, models, versions, aliases and tags, with their IDs.

Runs in the Pod `mlflow` on each side, and needs nothing that is not in the Pod's image:

    export > FILE                       every row, as lines of JSON
    import OLD=NEW [OLD=NEW …] < FILE   replaces all rows, and the beginnings of addresses
    summary                             counts, and the version and digest of each alias, to compare both sides

Users and their permissions are not copied, because each side has its own. Files are not copied either.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, TextIO

COPIED = (
    "experiments",
    "experiment_tags",
    "runs",
    "tags",
    "metrics",
    "latest_metrics",
    "params",
    "datasets",
    "inputs",
    "input_tags",
    "logged_models",
    "logged_model_metrics",
    "logged_model_params",
    "logged_model_tags",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
)
"""The tables in MLflow 3 that contain models and their history."""

_KEYS = {"runs": ("run_uuid",), "model_versions": ("name", "version")}
_BATCH = 1000


class Refused(Exception):
    """Raised if the copy would lose or mix up data. Nothing has been changed at that point."""


def main(arguments: list[str]) -> int:
    """Run one command against the server's database. Returns 1 if the command is refused."""
    command, *rest = arguments or [""]
    engine = import_module("sqlalchemy").create_engine(_database())
    try:
        if command == "export":
            export(engine, sys.stdout)
        elif command == "import":
            replace(engine, sys.stdin, [tuple(pair.split("=", 1)) for pair in rest])  # type: ignore[misc]
        elif command == "summary":
            sys.stdout.writelines(f"{line}\n" for line in summary(engine))
        else:
            raise Refused("use export, import OLD=NEW, or summary")
    except Refused as problem:
        sys.stderr.write(f"refused: {problem}\n")
        return 1
    return 0


def export(engine: Any, out: TextIO) -> None:
    """Write the schema version, every row as its table name and its values by column, and the row count."""
    count = 0
    with engine.connect().execution_options(stream_results=True) as connection:
        out.write(json.dumps({"schema": _schema(connection)}) + "\n")
        for table in _tables():
            for row in connection.execute(table.select()).mappings():
                values = {name: _written(value) for name, value in row.items()}
                out.write(json.dumps([table.name, values]) + "\n")
                count += 1
    out.write(json.dumps({"rows": count}) + "\n")


def replace(engine: Any, lines: TextIO, moved: list[tuple[str, str]]) -> None:
    """Replace all rows in one transaction. Raises Refused if the file lacks runs or versions that exist here.

    Rows are processed in batches, because a registry has millions of metrics but its Pod has little memory.
    """
    with engine.begin() as connection:
        head = json.loads(next(iter(lines), "{}"))
        if head.get("schema") != _schema(connection):
            raise Refused("the two servers have different versions of MLflow's tables; upgrade the older one first")
        only_here = _keys(connection)
        for table in reversed(_tables()):
            connection.execute(table.delete())
        tables = {table.name: table for table in _tables()}
        for name, batch in _batches(lines, moved):  # in the order of the file, in which parents come before their rows
            connection.execute(tables[name].insert(), batch)
            if name in only_here:
                only_here[name] -= {tuple(row[key] for key in _KEYS[name]) for row in batch}
        for name, left in only_here.items():
            if left:  # the transaction is rolled back
                raise Refused(f"the registry has {len(left)} rows in {name} that the file lacks")
        _number_on(connection)


def summary(engine: Any) -> Iterator[str]:
    """Yield each table's row count, and each alias with its version and the digest of its files."""
    tables = {table.name: table for table in _tables()}
    sql = import_module("sqlalchemy")
    with engine.connect() as connection:
        for name in COPIED:
            count = connection.execute(sql.select(sql.func.count()).select_from(tables[name])).scalar()
            yield f"{name} {count}"
        tags = {
            (row["name"], row["version"]): row["value"]
            for row in connection.execute(tables["model_version_tags"].select()).mappings()
            if row["key"] == "modelyard.digest"
        }
        rows = connection.execute(tables["registered_model_aliases"].select()).mappings()
        for model, alias, version in sorted((row["name"], row["alias"], row["version"]) for row in rows):
            yield f"{model}@{alias} {version} {tags.get((model, version), 'no digest')}"


def _database() -> str:
    return os.environ.get("MODELYARD_DATABASE") or str(import_module("modelyard_runtime.registry.server").DATABASE)


def _tables() -> list[Any]:
    """Return the tables to copy. Tables that other tables refer to come first."""
    import_module("mlflow.store.db.utils")  # registers all tables
    ordered = import_module("mlflow.store.db.base_sql_model").Base.metadata.sorted_tables
    return [table for table in ordered if table.name in COPIED]


def _schema(connection: Any) -> list[str]:
    text = import_module("sqlalchemy").text
    return sorted(row[0] for row in connection.execute(text("SELECT version_num FROM alembic_version")))


def _keys(connection: Any) -> dict[str, set[tuple[Any, ...]]]:
    """Return a registry's runs and versions, all of which an import must keep."""
    tables = {table.name: table for table in _tables()}
    return {
        name: {tuple(row[key] for key in keys) for row in connection.execute(tables[name].select()).mappings()}
        for name, keys in _KEYS.items()
    }


def _number_on(connection: Any) -> None:
    """Make PostgreSQL continue numbering experiments after the copied ones."""
    if connection.dialect.name == "postgresql":
        sequence = "pg_get_serial_sequence('experiments', 'experiment_id')"
        text = import_module("sqlalchemy").text
        connection.execute(text(f"SELECT setval({sequence}, (SELECT max(experiment_id) + 1 FROM experiments), false)"))


def _batches(lines: TextIO, moved: list[tuple[str, str]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield a file's rows in batches of limited size, each with its table name."""
    rows = ((name, {key: _read(value, moved) for key, value in values.items()}) for name, values in _rows(lines))
    for name, of_table in groupby(rows, key=itemgetter(0)):
        while batch := [row for _, row in islice(of_table, _BATCH)]:
            yield name, batch


def _rows(lines: TextIO) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a file's rows. Raises Refused if the end line is missing, as after an interrupted export."""
    for count, line in enumerate(lines):
        content: Any = json.loads(line) if line.endswith("\n") else None
        if content == {"rows": count}:
            return
        if not _is_list(content):
            break
        yield content
    raise Refused("the file is not complete; export again")


def _written(value: Any) -> Any:
    """Convert a value to JSON. A type that JSON lacks becomes a list of the type and a string."""
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, datetime):
        return ["time", value.isoformat()]
    return ["json", value] if isinstance(value, list | dict) else value


def _read(value: Any, moved: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        return _moved(value, moved)
    if not _is_list(value):
        return value
    kind, content = value
    if kind == "bytes":
        return base64.b64decode(content)
    return datetime.fromisoformat(content) if kind == "time" else content


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _moved(text: str, moved: list[tuple[str, str]]) -> str:
    """Replace the beginning of an address. Only whole folders match: s3://a is not a prefix of s3://ab."""
    for old, new in moved:
        if text == old or text.startswith(f"{old}/"):
            return new + text[len(old) :]
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
