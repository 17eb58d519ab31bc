"""Tests that the local target gets the same descriptions as Pods, and a plan that lists everything to run."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from modelyard.api import compile_text
from tests.examples import FOLDER, SYSTEMS

LAPTOP = (SYSTEMS / "laptop" / "system.yaml").read_text(encoding="utf-8")
FRAUD = (FOLDER / "fraud-detection" / "system.yaml").read_text(encoding="utf-8")
ON_CLUSTER = "{mode: on-prem, provider: kubernetes, context: here}"
IN_BUCKET = '{type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}'


def files_of(text: str, environment: str | None = None) -> dict[str, bytes]:
    """Return the compiled files, keyed by their path in the target's folder."""
    compiled = compile_text(text, environment=environment)
    assert compiled.ok, compiled.diagnostics
    return {path.split("/", 2)[2]: content for path, content in compiled.files.items()}


def descriptions(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the descriptions for the local target, keyed by name."""
    return {
        path.removeprefix("descriptions/").removesuffix(".json"): json.loads(content)
        for path, content in files.items()
        if path.startswith("descriptions/")
    }


def mounted(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the descriptions that Pods would mount, keyed by name."""
    import yaml

    descriptions: dict[str, Any] = {}
    for path, content in files.items():
        if "/manifests/" in path:
            for document in yaml.safe_load_all(content):
                if document and document["kind"] == "ConfigMap" and "workload.json" in document["data"]:
                    descriptions[document["metadata"]["name"].removesuffix("-description")] = json.loads(
                        document["data"]["workload.json"]
                    )
    return descriptions


def neutral(value: Any, key: str = "") -> Any:
    """Replace target-dependent addresses and drop fields that only a cluster has."""
    if isinstance(value, dict):
        dropped = {"endpoint", "accessKeyIdEnv", "secretAccessKeyEnv", "usernameEnv", "passwordEnv", "metrics", "image"}
        mapping = cast("dict[str, Any]", value)
        return {name: neutral(entry, name) for name, entry in mapping.items() if name not in dropped}
    if isinstance(value, list):
        return [neutral(value[at], key) for at in range(len(cast("list[object]", value)))]
    if key == "uri" and isinstance(value, str) and value.startswith("http"):
        return "the registry"
    return value.replace("file://", "s3://") if isinstance(value, str) else value


def test_descriptions_equal_those_of_pods() -> None:
    """Only addresses, credentials and images differ from Pods' descriptions, so equal data leads to equal decisions."""
    here = descriptions(files_of(LAPTOP))
    there = mounted(files_of(LAPTOP.replace("{mode: local}", ON_CLUSTER).replace("{type: object}", IN_BUCKET)))
    there.pop("registry")

    assert sorted(here) == ["churn", "monitor-drift", "promoter", "score", "train"]
    assert {name: neutral(description) for name, description in here.items()} == {
        name: neutral(description) for name, description in there.items()
    }


@pytest.fixture(scope="module")
def fraud() -> dict[str, bytes]:
    """Return the reference system, compiled for the local target."""
    return files_of(FRAUD, "dev")


def test_plan_lists_everything_that_runs(fraud: dict[str, bytes]) -> None:
    plan = json.loads(fraud["plan.json"])

    assert sorted(plan["pipelines"]) == ["challenge", "nightly-scores", "retrain"]
    assert sorted(plan["monitors"]) == ["feature-drift", "late-labels"]
    assert plan["pipelines"]["retrain"]["schedule"]["times"]["line"] == "0 4 * * 0"
    assert plan["pipelines"]["nightly-scores"]["uses"] == ["fraud-xgb"]
    paths = [
        plan["promoter"],
        *(entry["description"] for kind in ("pipelines", "servers", "monitors") for entry in plan[kind].values()),
    ]
    assert sorted(paths) == sorted(path for path in fraud if path.startswith("descriptions/"))


def test_endpoint_has_the_weights_of_its_route(fraud: dict[str, bytes]) -> None:
    endpoint = json.loads(fraud["plan.json"])["endpoints"]["scorer"]

    weights = {backend["application"]: backend["weight"] for backend in endpoint["backends"]}
    assert weights == {"scorer-champion": 95, "scorer-challenger": 5}
    assert endpoint["callers"] == ["default"]


def test_what_is_different_is_listed_with_its_field(fraud: dict[str, bytes]) -> None:
    notes = {note["field"] for note in json.loads(fraud["plan.json"])["notes"]}

    assert {
        "stores.lake",
        "pipelines.retrain.source.image",
        "pipelines.retrain.compute",
        "inference.scorer.endpoint.auth",
        "inference.scorer.slo",
        "channels.fraud-oncall",
    } <= notes
    page = fraud["README.md"].decode()
    assert all(f"`{field}`" in page for field in notes)


def test_output_has_the_runtime_and_no_absolute_folder(fraud: dict[str, bytes]) -> None:
    """The output folder runs without an installed modelyard and is the same for every user."""
    assert "runtime/modelyard_runtime/local/supervisor.py" in fraud
    assert not any(path.startswith(("workloads/", "infrastructure/")) for path in fraud)
    assert b"file:///" not in fraud["plan.json"]
    assert b"mlflow==" in fraud["requirements.txt"]
    assert b"mlflow-skinny" not in fraud["requirements.txt"]
