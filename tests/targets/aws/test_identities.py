"""Tests that workloads can access only what they use in AWS, and have no role if they use nothing."""

from __future__ import annotations

from tests.targets.aws.infrastructure import HYBRID, LEADS, arguments, calls_by_name, changed, plan_of, programs

LAB = """
  mode: cloud
  targets:
    main: {provider: aws, region: eu-central-1, vpc: {cidr: 10.20.0.0/16},
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
    lab: {provider: aws, region: eu-central-1, vpc: {cidr: 10.30.0.0/16}}
  placement: {default: main}
"""


def with_a_lab() -> str:
    """Return a spec whose pipeline on a second AWS target reads a bucket on the first one."""
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    source = "{image: 'acme.example/x:1', entrypoint: 'x.y:z'}"
    custom = f"  export: {{type: custom, target: lab, inputs: [clicks], compute: small, source: {source}}}\n"
    return (LEADS[:start] + LAB + LEADS[end:]).replace("inference:\n", f"{custom}inference:\n", 1)


def test_role_has_access_to_what_the_workload_uses() -> None:
    identity = arguments(calls_by_name()["Identity scoring"])

    assert identity["service_account"] == "scoring"
    assert [(grant["prefix"], grant["mode"]) for grant in identity["access"]] == [
        ("clicks", "read"),
        ("scores", "write"),
        ("mlflow/models/leads-churn/", "read"),
        ("mlflow/logs/scoring", "append"),
    ]
    assert {grant["key"] for grant in identity["access"]} == {"lake_store.key_arn"}


def test_launchers_have_no_role() -> None:
    accounts = {resource.name for resource in plan_of().on("main") if resource.kind.value == "identity"}
    roles = {name.removeprefix("Identity ") for name in calls_by_name() if name.startswith("Identity ")}

    assert accounts - roles == {"fit-launcher", "scoring-launcher"}


def test_external_secrets_may_read_secrets_and_database_logins() -> None:
    reader = arguments(calls_by_name()["SecretsReader leads-main"])

    assert reader["secrets"] == ["token"]
    assert reader["arns"] == ["runs_login.secret_arn"]


def test_workloads_do_not_read_secrets_from_aws() -> None:
    """Only External Secrets reads the endpoint's token from AWS, copying it to a Secret in the cluster."""
    identities = [call for name, call in calls_by_name().items() if name.startswith("Identity ")]

    assert identities
    assert not [call.name for call in identities if "secrets" in arguments(call)]


def test_no_secrets_reader_without_aws_secrets() -> None:
    text = changed(
        ("via: secrets-manager, refresh: 15m", "via: external-secrets, store: vault"),
        (
            "  runs: {type: database}",
            '  runs: {type: database, adopt: db.acme.example/runs, credentials: "secret://manager/db"}',
        ),
    )

    assert not [name for name in calls_by_name(text) if name.startswith("SecretsReader")]


def test_bucket_on_another_target_uses_that_targets_key() -> None:
    components = calls_by_name(with_a_lab(), "lab")
    (access,) = arguments(components["Identity export"])["access"]

    assert arguments(components["Infrastructure leads-main-infrastructure"]) == {"setting": "infrastructure-main"}
    assert access["key"] == "main_infrastructure[key_arn]"
    assert access["mode"] == "read"
    assert "infrastructure" in programs(with_a_lab(), "lab")


def test_only_workloads_outside_aws_have_a_user() -> None:
    assert not [name for name in calls_by_name(with_a_lab()) if name.startswith("Crossing")]
    assert [name for name in calls_by_name(HYBRID) if name.startswith("Crossing")] == ["Crossing stores.till"]
