"""Tests a Google Cloud target without workloads, which has buckets and their dependencies.

It has no cluster.
"""

from __future__ import annotations

from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from modelyard_targets.gcp.lower import lower, objects
from tests.targets.gcp.infrastructure import LEADS, arguments, codes, components, plan_of, programs, readme

ARCHIVE_TARGETS = """
  mode: cloud
  targets:
    archive: {provider: gcp, region: europe-west1, account: acme-archive%s}
    main: {provider: gcp, region: europe-west4, account: acme-leads, vpc: {cidr: 10.20.0.0/16},
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


def test_only_buckets_and_their_dependencies_are_created() -> None:
    calls = components(with_archive(), "archive")

    assert list(calls) == ["Project archive", "Key leads-archive", "ObjectStore audit", "Budget leads-archive"]
    assert arguments(calls["Key leads-archive"])["services"] == ["storage"]
    assert arguments(calls["ObjectStore audit"])["retention_days"] == 3650
    assert "container.googleapis.com" not in arguments(calls["Project archive"])["services"]


def test_a_system_has_one_budget() -> None:
    assert not [name for name in components(with_archive()) if name.startswith("Budget")]


def test_there_are_no_workloads_and_no_machines() -> None:
    plan = plan_of(with_archive())

    assert [project.folder for project in lower(plan, "archive").projects] == ["infrastructure"]
    assert list(objects(plan, "archive")) == []
    assert TARGETS["gcp"].pins(plan, "archive").charts == {}
    assert {line.category for line in TARGETS["gcp"].lines(plan, "archive", NO_USAGE)} <= {"storage", "other"}


def test_outputs_and_readme_mention_only_buckets() -> None:
    text = readme(with_archive(), "archive")

    assert {export.name for export in programs(with_archive(), "archive")["infrastructure"].exports} == {
        "region",
        "project",
    }
    assert "there is no cluster, no network and no machine" in text
    assert "buckets that it encrypts: leads-audit-" in text
    assert not [word for word in ("kubectl", "docker", "cd workloads", "GKE", "namespace") if word in text]


def test_workload_on_another_target_may_access_its_bucket() -> None:
    access = arguments(components(with_archive())["Identity score"])["access"]

    assert ("audit/score", "append") in [(each["prefix"], each["mode"]) for each in access]
    assert "Apply archive first" in readme(with_archive())


def test_cluster_settings_without_effect_are_reported() -> None:
    assert "W0634" in codes(with_archive(', version: "1.36"'))
    assert "W0634" not in codes(with_archive())


def test_a_target_whose_only_bucket_is_adopted_creates_nothing() -> None:
    text = with_archive(store="{type: object, target: archive, adopt: acme-audit}")
    stack = lower(plan_of(text), "archive")

    assert (stack.projects, stack.texts) == ((), ())
    assert [name for name in components(text) if name.startswith("Budget")] == ["Budget leads-main"]
