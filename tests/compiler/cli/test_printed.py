"""Tests that `modelyard` prints graphs and schemas in formats that other programs can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compiler.cli.commands import Run


@pytest.mark.parametrize("view", ["ml", "network"])
def test_graph_prints_the_requested_view(run: Run, system: Path, view: str) -> None:
    assert run("graph", system, "--view", view).out.startswith("flowchart LR\n")
    assert run("graph", system, "--view", view, "--format", "dot").out.startswith("digraph")
    assert run("graph", system, "--view", view, "--format", "svg").out.startswith("<svg ")
    assert run("graph", system, "--view", view, "--format", "html").out.startswith("<!doctype html>")
    assert json.loads(run("graph", system, "--view", view, "--format", "json").out)["view"] == view
    assert run("graph", system).out == run("graph", system, "--view", "ml", "--format", "mermaid").out


def test_schema_is_printed(run: Run) -> None:
    assert json.loads(run("schema").out)["$schema"].endswith("2020-12/schema")
    assert json.loads(run("schema", "workload").out) != json.loads(run("schema").out)
