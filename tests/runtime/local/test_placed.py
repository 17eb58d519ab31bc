"""Tests that descriptions are adapted to this machine's folders, registry, tokens and size.

Everything else stays unchanged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.local.placed import localized, place_all
from modelyard_runtime.local.plan import LocalPlan, read_plan
from modelyard_runtime.local.scaling import Machine, deployment_options, groups_of, scaled
from modelyard_runtime.local.state import State
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import workload_of
from tests.narrowing import present

GOLDEN = Path(__file__).parents[2] / "golden"
LAPTOP = GOLDEN / "laptop-default" / "main"
FRAUD = GOLDEN / "fraud-detection-dev" / "main"
REGISTRY = "http://127.0.0.1:5123"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path / "state")


@pytest.fixture
def plan() -> LocalPlan:
    return read_plan(FRAUD)


@pytest.mark.parametrize("folder", [LAPTOP, FRAUD], ids=["laptop", "fraud-detection"])
def test_every_description_is_one_of_the_runtime(folder: Path, state: State) -> None:
    """The runtime accepts each adapted description, whose folders are all absolute paths in the state folder."""
    placed = place_all(folder, read_plan(folder), state, Machine(2, 0), REGISTRY)

    assert placed.contents
    for content in placed.contents.values():
        workload = workload_of(content)
        assert present(workload.registry).uri == REGISTRY
        assert all(store.uri.startswith(f"file://{state.folder}/stores/") for store in workload.stores.values())
    assert "file://acme" not in json.dumps(placed.contents)


def test_texts_of_the_user_are_not_addresses(plan: LocalPlan, state: State) -> None:
    """Strings in parameters and model cards stay unchanged, even if they look like addresses."""
    step = {"parameters": {"uri": "file://bucket/x", "artifacts": ["file://bucket/y"]}}
    content = {"pipeline": {"steps": {"uri": step}, "model": {"card": {"purpose": "file://bucket/z"}}}}

    assert localized(content, plan, state, REGISTRY) == content


@pytest.mark.parametrize("bucket", ["..", ".", "a%2F..", "-x", "a b"])
def test_a_bucket_is_one_folder(bucket: str, state: State) -> None:
    with pytest.raises(Refusal):
        state.file_uri(f"file://{bucket}/path")


def test_other_addresses_stay(state: State) -> None:
    for uri in ("s3://bucket/path", "file:///data/own.csv", "https://host/x", ""):
        assert state.file_uri(uri) == uri


def test_each_caller_gets_a_token_of_its_own_that_stays(plan: LocalPlan, state: State) -> None:
    content: dict[str, Any] = {
        "applications": {
            "a": {"auth": {"tokenFiles": {"x": "/etc/modelyard-tokens/e/x", "y": "/etc/modelyard-tokens/e/y"}}}
        }
    }
    first = localized(content, plan, state, REGISTRY)["applications"]["a"]["auth"]["tokenFiles"]
    tokens = {caller: Path(path).read_text() for caller, path in first.items()}

    assert tokens["x"] != tokens["y"]
    assert Path(first["x"]).stat().st_mode & 0o077 == 0
    assert localized(content, plan, state, REGISTRY)["applications"]["a"]["auth"]["tokenFiles"] == first
    assert {caller: Path(path).read_text() for caller, path in first.items()} == tokens


def step_of(workers: int, cpus: int, gpus: int) -> dict[str, Any]:
    resources = {"cpus": cpus, "gpus": gpus, "group": "group-a"}
    step = {"workers": {"min": workers, "max": workers}, "resources": resources}
    return {"pipeline": {"steps": {"learn": step}, "tuning": {"parallel": 8}}}


@pytest.mark.parametrize(
    ("machine", "declared", "result"),
    [
        (Machine(2, 0), (16, 8, 1), (1, 2, 0)),
        (Machine(8, 0), (16, 8, 0), (4, 2, 0)),
        (Machine(8, 2), (2, 2, 1), (2, 2, 1)),
        (Machine(1, 0), (1, 1, 0), (1, 1, 0)),
        (Machine(64, 0), (1, 4, 0), (1, 4, 0)),
    ],
)
def test_machines_are_scaled_by_a_rule(
    machine: Machine, declared: tuple[int, int, int], result: tuple[int, int, int]
) -> None:
    """All workers of a step fit on the machine at once, and any reduced request is reported."""
    content, messages = scaled(step_of(*declared), machine)
    step = content["pipeline"]["steps"]["learn"]

    assert (step["workers"]["max"], step["resources"]["cpus"], step["resources"]["gpus"]) == result
    assert step["workers"]["max"] * step["resources"]["cpus"] <= machine.cpus
    assert bool([message for message in messages if message.startswith("step learn")]) == (declared != result)
    assert content["pipeline"]["tuning"]["parallel"] <= max(machine.cpus, 1)
    assert set(groups_of([content], machine)) == {"group-a"}


def test_what_was_scaled_is_said_in_numbers() -> None:
    _, messages = scaled(step_of(3, 12, 1), Machine(2, 0))

    assert messages == [
        "step learn: 3 workers with 12 CPUs and 1 GPU scaled to 1 with 2 CPUs",
        "8 parallel trials scaled to 2",
    ]


def test_a_trainer_uses_no_device_that_the_machine_lacks() -> None:
    declared = step_of(1, 1, 1)
    declared["pipeline"]["steps"]["learn"]["parameters"] = {"device": "cuda", "max_depth": 3}

    without, messages = scaled(declared, Machine(2, 0))
    assert without["pipeline"]["steps"]["learn"]["parameters"] == {"max_depth": 3}
    assert "step learn: its parameter device cuda is left out" in messages
    assert scaled(declared, Machine(2, 1))[0]["pipeline"]["steps"]["learn"]["parameters"]["device"] == "cuda"


def test_a_variant_has_one_replica_beside_training() -> None:
    plan = json.loads((FRAUD / "plan.json").read_text())
    declared = plan["servers"]["scorer-champion"]["applications"][0]["deployments"][0]
    options = deployment_options(declared)

    assert options["autoscaling_config"]["max_replicas"] == 1
    assert options["ray_actor_options"] == {"num_cpus": 0}
    assert options["max_queued_requests"] == declared["max_queued_requests"]


def test_a_plan_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"kind": "LocalPlan", "apiVersion": "modelyard.dev/v9"}')
    with pytest.raises(Refusal, match="is not a plan"):
        read_plan(tmp_path)


def test_only_one_run_holds_the_state(state: State) -> None:
    with state.lock(), pytest.raises(Refusal, match="already running here, as process"):
        state.lock()
    state.lock().close()


def test_a_torn_line_of_events_is_skipped(state: State) -> None:
    state.record("pipelines.train", "succeeded", "fine")
    with (state.folder / "events.jsonl").open("a") as stream:
        stream.write('{"at": "2026')

    assert [event["event"] for event in state.events()] == ["succeeded"]
