"""Tests that each workload can access only its stores, and that External Secrets reads only the secrets in use."""

from __future__ import annotations

from typing import Any

from tests.targets.azure.infrastructure import (
    LEADS,
    arguments,
    components,
    emitted,
    leads,
    manifest,
    plan_of,
    programs,
    readme,
    without_database,
    workload_calls,
)
from tests.targets.azure.test_check import two

USE = "azure.workload.identity/use"
CLIENT = "azure.workload.identity/client-id"
SUBSCRIPTION = "3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b"
SERVICE = (
    "lake: {type: object}",
    'lake: {type: object, adopt: leads, endpoint: "https://s3.acme.example", credentials: "secret://manager/lake"}',
)


def access(name: str, text: str = LEADS) -> list[tuple[str, str, str]]:
    """Return the container, prefix and mode of each grant of a workload's identity."""
    grants: list[dict[str, Any]] = arguments(components(text)[f"Identity {name}"])["access"]
    return [(each["container"], each["prefix"], each["mode"]) for each in grants]


def annotated(text: str = LEADS) -> dict[str, str]:
    """Return the client ID annotation from every ServiceAccount that has it."""
    accounts = (each["metadata"] for each in emitted(text) if each["kind"] == "ServiceAccount")
    return {each["name"]: each["annotations"][CLIENT] for each in accounts if CLIENT in each.get("annotations", {})}


def test_a_workload_gets_what_it_names() -> None:
    scoring = arguments(components()["Identity scoring"])

    assert access("scoring") == [
        ("leads-lake", "clicks", "read"),
        ("leads-lake", "scores", "write"),
        ("leads-lake", "mlflow/models/leads-churn/", "read"),
        ("leads-lake", "mlflow/logs/scoring", "append"),
    ]
    assert (scoring["namespace"], scoring["service_account"]) == ("leads", "scoring")


def test_a_server_that_captures_may_only_add_to_the_audit_store() -> None:
    assert ("leads-audit", "audit/score", "append") in access("score")


def test_access_waits_for_the_stores_that_the_program_creates() -> None:
    adopted = leads(("lake: {type: object}", 'lake: {type: object, adopt: "leads@acmeleads"}'))
    first = arguments(components(adopted)["Identity score"])["access"][0]

    assert arguments(components()["Identity score"])["stores"] == ["lake_store", "audit_store"]
    assert arguments(components(adopted)["Identity score"])["stores"] == ["audit_store"]
    assert (first["account"], first["container"]) == ("acmeleads", "leads")
    assert "group" not in first, "settings of the stack say where it is"


def test_a_launcher_opens_no_store_and_has_no_identity() -> None:
    accounts = {each.name for each in plan_of().on("main") if each.kind.value == "identity"}
    granted = {name.removeprefix("Identity ") for name in components() if name.startswith("Identity ")}

    assert accounts - granted == {"fit-launcher", "scoring-launcher"}
    assert set(annotated()) == granted


def test_service_accounts_get_their_client_ids_from_the_infrastructure() -> None:
    """Client IDs come from the infrastructure, because they are known only once Azure has created the identity."""
    calls = workload_calls()
    replaced = {
        **arguments(calls["workloads"])["annotations"],
        **arguments(calls["registry"])["annotations"],
    }

    assert annotated()["score"] == "score.identity.invalid"
    assert replaced["score.identity.invalid"] == "infrastructure[score_client_id]"
    assert set(replaced) == set(annotated().values())
    assert "annotations" not in arguments(calls["foundation"])


def test_pods_that_open_a_store_have_the_label_by_which_aks_gives_them_a_token() -> None:
    cluster = manifest("RayService", "score")["spec"]["rayClusterConfig"]
    (workers,) = cluster["workerGroupSpecs"]
    launcher = manifest("CronJob", "fit")["spec"]["jobTemplate"]["spec"]["template"]
    template = manifest("ConfigMap", "fit-rayjob")["data"]["rayjob.json"]

    for pod in (cluster["headGroupSpec"]["template"], workers["template"]):
        assert pod["metadata"]["labels"][USE] == "true"
    promoter = manifest("CronJob", "promoter")["spec"]["jobTemplate"]["spec"]["template"]
    assert manifest("Deployment", "mlflow")["spec"]["template"]["metadata"]["labels"][USE] == "true"
    assert promoter["metadata"]["labels"][USE] == "true"
    assert template.count(f'"{USE}": "true"') == 2, "the head's Pod and the workers'"
    assert USE not in launcher["metadata"]["labels"]


def test_the_label_is_on_pods_and_not_on_what_selects_them() -> None:
    """The identity label is only on Pods, because a Deployment's selector is immutable."""
    assert USE not in manifest("Deployment", "mlflow")["spec"]["selector"]["matchLabels"]


def test_external_secrets_reads_the_secrets_of_the_spec_and_the_logins_of_databases() -> None:
    reader = arguments(components()["SecretsReader leads-main"])
    chart = arguments(workload_calls()["external_secrets"])["values"]

    assert (reader["namespace"], reader["service_account"]) == ("external-secrets", "external-secrets")
    assert (reader["secrets"], reader["logins"], reader["vault"]) == (["token"], ["runs_login"], "vault")
    assert chart["serviceAccount"] == {
        "name": "external-secrets",
        "annotations": {CLIENT: "infrastructure[external_secrets_client_id]"},
    }
    assert chart["podLabels"] == {USE: "true"}


def test_without_secrets_there_is_no_vault() -> None:
    text = leads((', auth: {type: bearer-token, token: "secret://manager/token#value"}', ""), *without_database())
    calls = components(text)

    assert not [name for name in calls if name.startswith(("SecretsReader", "Vault"))]
    assert "vault" not in {export.name for export in programs(text)["infrastructure"].exports}


def test_a_workload_of_another_target_opens_a_store_in_its_resource_group() -> None:
    """The workload's own program grants the access once the other target has created the store."""
    text = two()
    calls = components(text, "lab")
    (opened,) = [each for each in arguments(calls["Identity export"])["access"] if each["prefix"] == "clicks"]

    assert opened["group"] == "leads-main"
    assert arguments(calls["StoreRoles leads-lab"])["groups"] == ["leads-main"]
    assert "groups" not in arguments(components(text)["StoreRoles leads-main"])
    assert "stores" not in arguments(calls["Identity export"])
    assert "Apply main first" in readme(text, "lab")


def test_a_store_in_another_subscription_is_named_by_its_group_id() -> None:
    calls = components(two(f"account: {SUBSCRIPTION},"), "lab")

    assert arguments(calls["Identity export"])["access"][0]["group"] == (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/leads-main"
    )


def test_a_store_that_another_target_opens_keeps_its_public_endpoint() -> None:
    """A store opened by another target stays public, since its private endpoint works only in its own network.

    Entra ID admits only identities with a role.
    """
    shared = {
        name: arguments(call).get("shared", False) for name, call in components(two()).items() if "Store " in name
    }

    assert shared == {"ObjectStore audit": False, "ObjectStore lake": True}
    assert "shared" not in arguments(components()["ObjectStore lake"])


def test_a_service_of_another_kind_has_credentials_of_its_own() -> None:
    calls = components(leads(SERVICE))

    assert [name for name in calls if name.startswith("Identity ")] == ["Identity score"], "it opens the audit store"
    assert arguments(calls["Identity score"])["access"] == arguments(components()["Identity score"])["access"][1:]
