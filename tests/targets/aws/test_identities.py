"""Tests that workloads can access only what they use, and that workloads without AWS access have no role."""

from __future__ import annotations

from tests.targets.aws.infrastructure import HYBRID, LEADS, arguments, changed, made, plan_of, programs

LAB = """
  mode: cloud
  targets:
    main: {provider: aws, region: eu-central-1, vpc: {cidr: 10.20.0.0/16},
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
    lab: {provider: aws, region: eu-central-1, vpc: {cidr: 10.30.0.0/16}}
  placement: {default: main}
"""


def with_a_lab() -> str:
    """Return a spec with a pipeline on a second AWS target, which reads a bucket on the first target."""
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    source = "{image: 'acme.example/x:1', entrypoint: 'x.y:z'}"
    custom = f"  export: {{type: custom, target: lab, inputs: [clicks], compute: small, source: {source}}}\n"
    return (LEADS[:start] + LAB + LEADS[end:]).replace("inference:\n", f"{custom}inference:\n", 1)


def test_role_has_access_to_what_the_workload_uses() -> None:
    given = arguments(made()["Identity scoring"])

    assert given["service_account"] == "scoring"
    assert [(one["prefix"], one["mode"]) for one in given["access"]] == [
        ("clicks", "read"),
        ("scores", "write"),
        ("mlflow/models/leads-churn/", "read"),
        ("mlflow/logs/scoring", "append"),
    ]
    assert {one["key"] for one in given["access"]} == {"lake_store.key_arn"}


def test_launchers_have_no_role() -> None:
    accounts = {one.name for one in plan_of().on("main") if one.kind.value == "identity"}
    roles = {name.removeprefix("Identity ") for name in made() if name.startswith("Identity ")}

    assert accounts - roles == {"fit-launcher", "scoring-launcher"}


def test_external_secrets_may_read_secrets_and_database_logins() -> None:
    reader = arguments(made()["SecretsReader leads-main"])

    assert reader["secrets"] == ["token"]
    assert reader["arns"] == ["runs_login.secret_arn"]


def test_workloads_do_not_read_secrets_from_aws() -> None:
    """Only External Secrets reads the token of the endpoint, and copies it to a Secret in the cluster."""
    identities = [call for name, call in made().items() if name.startswith("Identity ")]

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

    assert not [name for name in made(text) if name.startswith("SecretsReader")]


def test_bucket_on_another_target_uses_that_targets_key() -> None:
    found = made(with_a_lab(), "lab")
    (access,) = arguments(found["Identity export"])["access"]

    assert arguments(found["Infrastructure leads-main-infrastructure"]) == {"setting": "infrastructure-main"}
    assert access["key"] == "main_infrastructure[key_arn]"
    assert access["mode"] == "read"
    assert "infrastructure" in programs(with_a_lab(), "lab")


def test_only_workloads_outside_aws_have_a_user() -> None:
    assert not [name for name in made(with_a_lab()) if name.startswith("Crossing")]
    assert [name for name in made(HYBRID) if name.startswith("Crossing")] == ["Crossing stores.till"]
