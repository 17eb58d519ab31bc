"""What is printed for others to read on: graphs and schemas."""

from __future__ import annotations

import json
from pathlib import Path

from tests.compiler.cli.said import Run


def test_graph(run: Run, system: Path) -> None:
    assert run("graph", system).out.startswith(("flowchart", "graph", "---"))
    assert run("graph", system, "--format", "dot").out.startswith("digraph")
    assert json.loads(run("graph", system, "--format", "json").out)
    assert run("graph", system, "--format", "json").code == 0


def test_schema(run: Run) -> None:
    assert json.loads(run("schema").out)["$schema"].endswith("2020-12/schema")
    assert json.loads(run("schema", "workload").out) != json.loads(run("schema").out)
