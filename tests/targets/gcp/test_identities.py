"""Tests that each workload can access only its stores, and that External Secrets reads only the secrets in use."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.diagnostics import Severity
from modelyard.neighbours import check_compiled
from modelyard.overlay import environments
from modelyard.pipeline import InputFile, Inputs, opened, understand
from modelyard.program import Call
from modelyard.survey import survey
from modelyard_targets import TARGETS
from modelyard_targets.gcp.lower import calls
from tests.narrowing import present
from tests.targets.gcp.infrastructure import (
    LEADS,
    arguments,
    changed,
    components,
    leads,
    plan_of,
    programs,
    readme,
    without_database,
    workload_calls,
)
from tests.targets.gcp.test_check import two


def access(name: str, text: str = LEADS) -> list[tuple[str, str, str]]:
    """Return the bucket, prefix and mode of each of a workload's grants, without the bucket name's hash."""
    grants: list[dict[str, Any]] = arguments(components(text)[f"Identity {name}"])["access"]
    return [(each["bucket"].rpartition("-")[0], each["prefix"], each["mode"]) for each in grants]


def first_call(which: str, text: str, environment: str | None) -> Call:
    """Return a component call from an environment's infrastructure program."""
    outcome = understand(Inputs(InputFile("system.yaml", text), environment), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return next(call for call in calls(present(outcome.plan), "main") if f"{call.component} {call.name}" == which)


def shared(text: str, prod: str, staging: str) -> list[tuple[str, str]]:
    """Return errors about resources shared by two environments, truncated after their main statement."""
    inputs = Inputs(InputFile("system.yaml", f"{text}environments:\n  prod: {prod}\n  staging: {staging}\n"))
    diagnostics = survey(inputs, opened(inputs), ["prod", "staging"], TARGETS).diagnostics
    return [(each.code, each.message.partition(": ")[0]) for each in diagnostics if each.severity is Severity.ERROR]


def compiled(text: str, environment: str) -> list[str]:
    """Return the codes of conflicts with other environments reported when compiling one environment."""
    inputs = Inputs(InputFile("system.yaml", text), environment)
    spec = opened(inputs)
    plan, others = present(understand(inputs, TARGETS, spec).plan), environments(present(spec.document))
    return [each.code for each in check_compiled(inputs, plan, spec, others, TARGETS)]


def test_workload_has_access_to_what_it_uses() -> None:
    assert access("scoring") == [
        ("leads-lake", "clicks", "read"),
        ("leads-lake", "scores", "write"),
        ("leads-lake", "mlflow/models/leads-churn/", "read"),
        ("leads-lake", "mlflow/logs/scoring", "append"),
    ]
    assert arguments(components()["Identity scoring"])["service_account"] == "scoring"
    assert arguments(components()["Identity scoring"])["namespace"] == "leads"


def test_environments_of_one_project_share_no_access() -> None:
    """Environments in one project need different namespaces, because IAM does not identify Pods by their cluster."""
    text = leads() + "environments: {staging: {}, prod: {deployment: {namespace: leads-live}}}\n"
    namespaces = {
        name: arguments(first_call("Identity score", text, name))["namespace"] for name in (None, "staging", "prod")
    }

    assert namespaces == {None: "leads", "staging": "leads-staging", "prod": "leads-live"}


@pytest.mark.parametrize(
    ("namespace", "staging", "codes"),
    [
        ("", "{}", []),
        ("  namespace: leads-live\n", "{}", ["E0525"]),
        ("  namespace: leads-live\n", "{deployment: {namespace: leads-staging}}", []),
        ("  namespace: leads-live\n", "{deployment: {account: acme-staging}}", []),
    ],
)
def test_environments_that_would_share_access_are_refused(namespace: str, staging: str, codes: list[str]) -> None:
    project = "  account: acme-leads\n"
    text = leads((project, f"{project}{namespace}")) + f"environments:\n  prod: {{}}\n  staging: {staging}\n"
    inputs = Inputs(InputFile("system.yaml", text))
    diagnostics = survey(inputs, opened(inputs), ["prod", "staging"], TARGETS).diagnostics

    assert [each.code for each in diagnostics] == codes


def test_environments_are_compared_for_every_target_in_the_same_project() -> None:
    """Only target `main` has a namespace per environment, so `lab` is reported unless it is in another project."""
    lab = ("europe-west3, account", "europe-west3, namespace: lab, account")
    text = changed(lab, text=two("acme-lab", "namespace: leads-main,"))
    staging = "deployment: {targets: {main: {namespace: leads-staging}%s}}"
    same = shared(text, "{}", f"{{{staging % ''}}}")
    apart = shared(text, "{}", f"{{{staging % ', lab: {account: acme-staging}'}}}")

    where = "both use namespace 'lab' in project 'acme-lab', so their workloads would have the same access"
    assert same == [("E0525", f"environments 'prod' and 'staging' {where}")]
    assert apart == []


def test_an_unnamed_project_is_not_compared() -> None:
    """Targets that name no project aren't compared, because each stack may configure a different one."""
    text = leads(("  account: acme-leads\n", "  namespace: leads-live\n"))

    assert shared(text, "{}", "{}") == []


def test_compiling_one_environment_compares_it_with_the_others() -> None:
    text = leads(("  account: acme-leads\n", "  account: acme-leads\n  namespace: leads-live\n"))
    spec = text + "environments: {prod: {}, staging: {}, dev: {deployment: {namespace: leads-dev}}}\n"

    assert compiled(spec, "staging") == ["E0525"]
    assert compiled(spec, "dev") == []


def test_a_server_that_captures_may_only_add_to_the_audit_store() -> None:
    assert ("leads-audit", "audit/score", "append") in access("score")


def test_a_monitor_can_replace_only_its_state() -> None:
    """A monitor may replace only its state. Its role lets it add other objects but not replace them."""
    watch = """monitors:
  drift:
    type: data-drift
    watch: inference.score
    reference: {data: clicks, window: 30d}
    window: 1d
    schedule: {cron: "0 6 * * *"}
    checks: {psi: {max: 0.2}}
"""
    captured = leads(("capture: {store: audit, path: audit/score, retain: 7y}", "capture: {store: lake, path: seen}"))
    grants = access("monitor-drift", captured + watch)

    assert ("leads-lake", "seen/_monitors/drift/", "write") in grants
    assert {mode for _, prefix, mode in grants if prefix != "seen/_monitors/drift/"} == {"read"}


def test_access_is_granted_after_the_buckets_are_created() -> None:
    adopted = leads(("lake: {type: object}", "lake: {type: object, adopt: acme-leads}"))

    assert arguments(components()["Identity score"])["stores"] == ["lake_store", "audit_store"]
    assert arguments(components(adopted)["Identity score"])["stores"] == ["audit_store"]
    assert arguments(components(adopted)["Identity score"])["access"][0]["bucket"] == "acme-leads"


def test_launchers_have_no_access() -> None:
    accounts = {each.name for each in plan_of().on("main") if each.kind.value == "identity"}
    granted = {name.removeprefix("Identity ") for name in components() if name.startswith("Identity ")}

    assert accounts - granted == {"fit-launcher", "scoring-launcher"}


def test_external_secrets_may_read_secrets_and_database_logins() -> None:
    reader = arguments(components()["SecretsReader leads-main"])

    assert (reader["namespace"], reader["service_account"]) == ("external-secrets", "external-secrets-leads-main")
    assert (reader["secrets"], reader["logins"]) == (["token"], ["runs_login"])


def test_external_secrets_has_a_different_identity_in_each_cluster() -> None:
    """Identity names contain system and target, because IAM can't tell an add-on's Pods in two clusters apart."""
    chart = arguments(workload_calls()["external_secrets"])["values"]
    renamed = arguments(components(leads(("name: leads", "name: prospects")))["SecretsReader prospects-main"])

    assert chart["serviceAccount"]["name"] == "external-secrets-leads-main"
    assert renamed["service_account"] == "external-secrets-prospects-main"


def test_no_secrets_reader_without_secrets() -> None:
    text = leads(
        (', auth: {type: bearer-token, token: "secret://manager/token#value"}', ""),
        *without_database(),
    )

    assert not [name for name in components(text) if name.startswith("SecretsReader")]


def test_a_workload_on_another_target_accesses_a_bucket_by_name() -> None:
    """The workload's own program grants access by bucket name, once the other target has created the bucket."""
    text = two("acme-lab")
    (export,) = [call for call in programs(text, "lab")["infrastructure"].calls if call.component == "Identity"]

    assert arguments(export)["access"][0]["bucket"].startswith("leads-lake-")
    assert "stores" not in arguments(export)
    assert "Apply main first" in readme(text, "lab")
    assert "first: workloads here" not in readme(text)


def test_store_on_another_service_uses_its_own_credentials() -> None:
    other = (
        "lake: {type: object}",
        'lake: {type: object, adopt: leads, endpoint: "https://s3.acme.example", credentials: "secret://manager/lake"}',
    )
    calls = components(leads(other))

    assert [name for name in calls if name.startswith("Identity ")] == ["Identity score"], "it opens the audit store"
    assert arguments(calls["Identity score"])["access"] == arguments(components()["Identity score"])["access"][1:]
