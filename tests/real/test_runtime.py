"""Runs the runtime on a real Ray cluster with a real registry, from training to a monitor breach."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from testbed import environments
from testbed.places import REPOSITORY

PROGRAMS = Path(__file__).parent / "programs"
REQUIREMENTS = ("runtime/modelyard_runtime/requirements.txt", "tests/runtime/requirements.txt")


def happened(program: str, folder: Path) -> dict[str, Any]:
    """Run a program in the runtime's environment and return its JSON output."""
    python = environments.environment("".join((REPOSITORY / path).read_text() for path in REQUIREMENTS))
    path = os.pathsep.join(map(str, (REPOSITORY / "runtime", REPOSITORY, PROGRAMS)))
    variables = {"PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    result = subprocess.run(
        [str(python), str(PROGRAMS / program), str(folder)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return facts


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the entire scenario once, for all tests in this file, and return its results."""
    return happened("whole_runtime.py", tmp_path_factory.mktemp("whole"))


def test_user_code_runs_in_steps(tmp_path: Path) -> None:
    """Steps can fail, time out or lack a function, and gates accept custom metrics.

    Failed steps are retried, slow steps time out, and missing functions are rejected.
    """
    assert happened("whole_steps.py", tmp_path) == {
        "retried": 0,
        "counted": ['"rows"', "300"],
        "too slow": 1,
        "no function": "step 'absent': entrypoint whole_steps:absent: module whole_steps has no function absent",
        "gate refuses": 0,
        "champion then": False,
        "gate holds": 0,
        "champion now": "2",
    }


def test_model_waits_for_approval_of_its_digest(facts: dict[str, Any]) -> None:
    """The run succeeds and the gate passes, but the alias moves only once the model's digest has been approved."""
    assert facts["train"] == 0
    assert facts["tags"]["modelyard.gate"] == "held"
    assert facts["before approval"]
    assert facts["after an approval of another model"]
    assert facts["champion"] == "1"


def test_version_records_its_origin(facts: dict[str, Any]) -> None:
    """A model version records its owner, code and description, and the state of both datasets."""
    tags = facts["tags"]

    assert tags["modelyard.owner"] == "risk <risk@acme.example>"
    assert tags["modelyard.code"] == "modelyard_runtime:xgboost"
    assert tags["modelyard.data.transactions"].partition(" ")[2].startswith("files=2 ")
    assert tags["modelyard.data.labels"].partition(" ")[2].startswith("files=1 ")


def test_server_answers_valid_rows_with_a_valid_token(facts: dict[str, Any]) -> None:
    """Health checks need no token, errors are JSON, and a large payment abroad is classified as fraud."""
    assert facts["health"][0] == 200
    assert facts["without token"] == 401
    assert facts["wrong rows"][0] == 422
    assert facts["wrong rows"][1]["error"] == "column 'amount' must contain numbers, not \"much\""
    status, content = facts["answer"]
    assert (status, content["predictions"], content["model"]) == (200, [1], {"name": "cards-fraud", "version": "1"})
    assert content["scores"][0] > 0.5


def test_a_dataset_is_scored_once(facts: dict[str, Any]) -> None:
    """The first run scores every row, and the second run skips both files."""
    assert facts["score"] == 0
    assert facts["scored rows"] == 600
    assert facts["scored again"] == {"scored": 0, "found": 2, "refused": 0}


def test_breach_names_the_drifted_column_and_starts_one_run(facts: dict[str, Any]) -> None:
    """Only the `amount` column drifted.

    Metrics are sent, and the second breach falls within the cooldown.
    """
    assert [(name, breach) for name, (_, breach) in facts["drift"].items()] == [("amount", True), ("country", False)]
    assert facts["told"]
    assert {f"modelyard_monitor_{name}" for name in ("value", "breach", "last_run_seconds")} <= {*facts["metrics"]}
    assert len(facts["metrics"]) == 5  # including the direction and "nothing unknown"
    assert facts["acted"][0] == "pipeline retrain is started"
    assert "is not started" in facts["acted"][1]
    assert facts["jobs"] == 1


def test_site_keeps_working_without_a_network(tmp_path: Path) -> None:
    """Without a network, servers can restart from bundles, and scoring and monitors keep working.

    Once the object store is back, captures and promotions made during the outage are transferred.
    """
    assert happened("whole_bundles.py", tmp_path) == {
        "before": 503,
        "trained": [0, 0, 0],
        "first": True,
        "second": True,
        "told": True,
        "after restart": "2",
        "age grows": True,
        "scored": {"scored": 1, "found": 1, "refused": 0},
        "scored by": ["2"],
        "compared": [["heat", False]],
        "pushed": ["modelyard_bundle_age_seconds", "modelyard_bundle_version"],
        "waiting": True,
        "third": True,
        "arrived": True,
        "left": 0,
    }
