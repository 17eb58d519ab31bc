"""Tests that the program creates Secrets for cross-target access from the other target's outputs."""

from __future__ import annotations

from modelyard.program import Program, Ref
from modelyard.writers.python_text import print_program
from modelyard_targets import TARGETS
from modelyard_targets.kube.access.pod_references import references_in
from modelyard_targets.kubernetes.lower import objects
from tests.emitted import argument
from tests.hybrid import HYBRID_SPEC, hybrid, hybrid_lowered, hybrid_plan, without_section

ON_PREM_REGISTRY = (
    ("placement: {default: main,", "placement: {default: main, training: shop,"),
    ("registry: main}", "registry: shop}"),
    ("  runs: {type: database, target: main}", "  runs: {type: database, target: shop}"),
)


def programs(text: str, placement: str = "shop") -> list[Program]:
    """Return the programs of a target's workloads projects."""
    plan = hybrid_plan(text)
    provider = plan.system.target(placement).provider
    projects = TARGETS[provider].lower(plan, placement).projects
    return [project.program for project in projects if project.folder.startswith("workloads")]


def test_each_workload_has_a_secret_with_its_key() -> None:
    (program,) = programs(hybrid())
    calls = {call.name: call for call in program.calls}
    document = dict(calls["crossing-till"].arguments)["document"]

    assert isinstance(document, dict)
    assert (document["kind"], document["type"]) == ("Secret", "Opaque")
    assert document["stringData"] == {
        "access-key-id-1": Ref("main_infrastructure", key="shop__till_access_key_id_1"),
        "secret-access-key-1": Ref("main_infrastructure", key="shop__till_secret_access_key_1"),
    }
    assert {name for name in calls if name.startswith("crossing-")} == {
        "crossing-till",
        "crossing-nightly",
        "crossing-monitor-drift",
    }
    assert calls["crossing-till"].origin == ("inference", "till")


def test_other_project_is_read_once() -> None:
    """The program references the other target's project once. A setting can override its stack name."""
    text = print_program(programs(hybrid())[0])

    assert text.count('Infrastructure("till-main-infrastructure", setting="infrastructure-main")') == 1
    assert "from modelyard_stacks.infrastructure import Infrastructure" in text


def test_secrets_come_between_namespace_and_workloads() -> None:
    (program,) = programs(hybrid())
    calls = {call.name: call for call in program.calls}

    assert argument(calls["crossing-till"], "depends_on") == (Ref("foundation"),)
    assert Ref(calls["crossing-till"].variable) in argument(calls["workloads"], "depends_on")


def test_outputs_read_are_the_outputs_exported() -> None:
    """A program reads exactly the outputs that the other target's program exports."""
    exported = set[str]()
    for project in TARGETS["aws"].lower(hybrid_plan(), "main").projects:
        exported |= {export.name for export in project.program.exports if export.name.startswith("shop_")}
    requested = set[str]()
    for call in programs(hybrid())[0].calls:
        if call.name.startswith("crossing-"):
            document = dict(call.arguments)["document"]
            assert isinstance(document, dict)
            values = document["stringData"]
            assert isinstance(values, dict)
            requested |= {value.key for value in values.values() if isinstance(value, Ref)}

    assert requested == exported
    assert len(requested) == 6


def test_nothing_is_read_without_cross_target_access() -> None:
    """Without cross-target access, no program creates a Secret for it or references another target's project."""
    text = without_section(without_section(HYBRID_SPEC, "nightly"), "drift")
    text = text.replace("inference: shop", "inference: main")

    for placement in ("main", "shop"):
        for program in programs(text, placement):
            assert not [call for call in program.calls if call.name.startswith("crossing-")]
            assert "infrastructure-main" not in print_program(program)


def test_on_premises_registry_uses_a_key_for_a_cloud_bucket() -> None:
    """MLflow on an on-premises target accesses a cloud bucket with a generated key."""
    text = hybrid(*ON_PREM_REGISTRY)
    calls = {call.name: call for program in programs(text) for call in program.calls}
    (manifest,) = (
        each.manifest for each in objects(hybrid_plan(text), "shop") if each.manifest["kind"] == "Deployment"
    )

    assert "crossing-registry" in references_in(manifest).secrets
    assert "crossing-registry" in calls


def test_key_rotation_uses_two_keys() -> None:
    """During a key rotation, the Secret contains the old and the new key, and new Pods use the new one."""
    two = ("      context: shop\n", "      context: shop\n      accessKeys: [1, 2]\n")
    (program,) = programs(hybrid(two))
    document = dict({call.name: call for call in program.calls}["crossing-till"].arguments)["document"]

    assert isinstance(document, dict)
    assert isinstance(document["stringData"], dict)
    assert [*document["stringData"]] == [
        f"{half}-{number}" for number in (1, 2) for half in ("access-key-id", "secret-access-key")
    ]
    server = str(hybrid_lowered(hybrid(two)).get("RayService", "till"))
    assert "'key': 'access-key-id-2'" in server
    assert "access-key-id-1" not in server
    (infrastructure,) = (
        project.program for project in TARGETS["aws"].lower(hybrid_plan(hybrid(two)), "main").projects[:1]
    )
    assert "keys=[1, 2]" in print_program(infrastructure)
    assert "shop__till_secret_access_key_2" in {export.name for export in infrastructure.exports}
