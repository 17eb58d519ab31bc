"""Tests that the testbed's charts match the names, versions and values of emitted charts."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from testbed import charts
from testbed.charts import ChartRepository
from testbed.places import REPOSITORY


def test_every_chart_is_an_archive_with_a_closed_schema(tmp_path: Path) -> None:
    """Because the chart's schema is closed, Helm refuses values that do not exist in the real chart."""
    repository = ChartRepository(tmp_path)

    for chart in charts.known():
        with tarfile.open(tmp_path / "repository" / f"{chart.name}-{repository.versions[chart.name]}.tgz") as tar:
            packed = tar.extractfile(f"{chart.name}/values.schema.json")
            assert packed is not None
            schema = json.load(packed)
        assert schema["additionalProperties"] is False
        assert set(schema["properties"]) == {"global", *chart.values}


def test_chart_versions_match_the_emitted_versions() -> None:
    """If the compiler emits a newer chart version, the testbed's chart must get that version's values."""
    emitted = json.loads((REPOSITORY / "targets/modelyard_targets/kube/placement/charts.json").read_text())["charts"]

    assert {chart.name: chart.version for chart in charts.known()} == {
        chart["chart"]: chart["version"] for chart in emitted.values()
    }
