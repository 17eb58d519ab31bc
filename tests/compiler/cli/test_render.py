"""Tests that a rendered spec is valid, shows where values come from, and compiles to the same output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from modelyard.api import compile_text
from tests.compiler.cli.commands import Run
from tests.hostile.seeds import TABLES, Seed, seeds


@pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds()])
def test_a_rendered_spec_compiles_to_the_same_output(run: Run, tmp_path: Path, seed: Seed) -> None:
    """The rendered spec includes overlays, variables and defaults, and compiles to the same bytes."""
    (tmp_path / "system.yaml").write_text(seed.text, encoding="utf-8")
    for name, table in TABLES.items():
        (tmp_path / name).write_text(table, encoding="utf-8")
    result = run("render", tmp_path, *(["--env", seed.environment] if seed.environment else []))
    assert result.code == 0

    expected = compile_text(seed.text, environment=seed.environment, tables=TABLES)
    rendered = yaml.safe_load(result.out)
    text = "\n".join(line.partition("  # ")[0].rstrip() for line in result.out.splitlines()) + "\n"
    assert yaml.safe_load(text) == rendered
    again = compile_text(text, environment=None, tables=TABLES)
    assert again.ok, again.diagnostics
    environment = seed.environment or "default"
    ours = {path.partition("/")[2]: content for path, content in expected.files.items()}
    theirs = {path.partition("/")[2]: content for path, content in again.files.items()}
    if environment == "default":
        assert theirs == ours
    else:
        assert {path.replace("Pulumi.default.", f"Pulumi.{environment}.") for path in theirs} == set(ours)


def test_rendered_values_show_their_origin(run: Run, system: Path) -> None:
    lines = run("render", system, "--env", "prod").out.splitlines()

    assert any("min: 2" in line and line.endswith("system.yaml:16") for line in lines)
    assert any(line.endswith("# default") for line in lines)


def test_rendered_json_and_yaml_have_the_same_values(run: Run, system: Path) -> None:
    """JSON and YAML have the same values, including defaults. Only YAML has comments on their origin."""
    as_json = json.loads(run("render", system, "--env", "prod", "--format", "json").out)
    as_yaml = run("render", system, "--env", "prod", "--format", "yaml").out

    assert "#" not in as_yaml
    assert yaml.safe_load(as_yaml) == as_json
    assert as_json["inference"]["score"]["replicas"]["min"] == 2
    assert as_json["inference"]["score"]["variants"]["only"]["model"] == "churn@champion"
    assert as_json["inference"]["score"]["scaling"]["metric"] == "ongoing-requests"  # absent in the spec


def test_an_invalid_spec_is_not_rendered(run: Run, wrong: Path) -> None:
    result = run("render", wrong, "--format", "json")

    assert (result.code, result.out) == (1, "")
    assert "error[" in result.err
