"""Tests an Azure target without workloads, which has stores and their dependencies.

It has no cluster or network.
"""

from __future__ import annotations

from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from modelyard_targets.azure.lower import lower, objects
from tests.targets.azure.infrastructure import LEADS, arguments, codes, components, plan_of, programs, readme

ARCHIVE_TARGETS = """
  mode: cloud
  targets:
    archive: {provider: azure, region: northeurope%s}
    main: {provider: azure, region: westeurope, vpc: {cidr: 10.20.0.0/16},
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
  placement: {default: main}
"""


def with_archive(more: str = "", store: str = "{type: object, target: archive, retention: 3650d}") -> str:
    """Return a spec whose store for audit records is on a separate target."""
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    text = LEADS[:start] + ARCHIVE_TARGETS % more + LEADS[end:]
    before = "  audit: {type: object, objectLock: {mode: compliance, retain: 7y}}"
    assert before in text
    budget = ("email: growth@acme.example}", "email: growth@acme.example}, budget: {monthly: 5000 USD}")
    return text.replace(before, f"  audit: {store}").replace(*budget)


def test_only_what_its_stores_depend_on_is_created() -> None:
    calls = components(with_archive(), "archive")

    assert list(calls) == ["ResourceGroup archive", "Key leads-archive", "ObjectStore audit", "Budget leads-archive"]
    assert arguments(calls["Key leads-archive"]) == {"group": "group"}
    assert "network" not in arguments(calls["ObjectStore audit"]), "it is reached from the internet, by Entra ID alone"
    assert arguments(calls["ObjectStore audit"])["retention_days"] == 3650


def test_a_system_has_one_budget() -> None:
    assert not [name for name in components(with_archive()) if name.startswith("Budget")]


def test_a_lock_is_made_final_in_a_second_step() -> None:
    locked = with_archive(store="{type: object, target: archive, objectLock: {mode: compliance, retain: 7y}}")

    assert "pulumi config set lockRetention true" in readme(locked, "archive")
    assert "lockRetention" not in readme(with_archive(), "archive")


def test_there_are_no_workloads_and_no_machines() -> None:
    plan = plan_of(with_archive())

    assert [project.folder for project in lower(plan, "archive").projects] == ["infrastructure"]
    assert list(objects(plan, "archive")) == []
    assert TARGETS["azure"].pins(plan, "archive").charts == {}
    assert {line.category for line in TARGETS["azure"].lines(plan, "archive", NO_USAGE)} <= {"storage", "other"}


def test_its_outputs_and_its_readme_are_about_stores() -> None:
    text = readme(with_archive(), "archive")

    assert {export.name for export in programs(with_archive(), "archive")["infrastructure"].exports} == {
        "region",
        "group",
    }
    assert "there is no cluster, no network and no machine" in text
    assert "reached from the internet with a login of Entra ID alone: leadsaudit" in text
    assert not [word for word in ("kubectl", "docker", "cd workloads", "AKS", "namespace") if word in text]


def test_a_workload_of_another_target_opens_its_store() -> None:
    access = arguments(components(with_archive())["Identity score"])["access"]

    assert ("audit/score", "append", "leads-archive") in [
        (each["prefix"], each["mode"], each.get("group", "")) for each in access
    ]
    assert "Apply archive first" in readme(with_archive())


def test_settings_of_a_cluster_are_pointed_out() -> None:
    assert "W0634" in codes(with_archive(', version: "1.36"'))
    assert "W0634" not in codes(with_archive())


def test_a_target_whose_only_store_is_adopted_creates_nothing() -> None:
    text = with_archive(store='{type: object, target: archive, adopt: "audit@acmeaudit"}')
    stack = lower(plan_of(text), "archive")

    assert (stack.projects, stack.texts) == ((), ())
    assert [name for name in components(text) if name.startswith("Budget")] == ["Budget leads-main"]
