"""Tests that Secrets are either created by External Secrets or listed as prerequisites."""

from __future__ import annotations

from modelyard_targets.kube.access.secrets import existing_secrets, secrets_of
from tests.emitted import context, emitted, emitted_object, names
from tests.specs import VALID_SPEC, changed

EXISTING = changed("secretStores: {vault: {via: external-secrets, store: vault}}", "secretStores: {vault: {}}")


def test_external_secret_lists_each_key() -> None:
    spec = emitted_object(VALID_SPEC, "ExternalSecret", "vault.lake")["spec"]

    assert spec["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}
    assert spec["refreshInterval"] == "3600s"
    assert [(each["secretKey"], each["remoteRef"]["key"]) for each in spec["data"]] == [
        ("access-key-id", "lake"),
        ("secret-access-key", "lake"),
    ]


def test_scope_and_refresh_are_applied() -> None:
    text = changed(
        "{via: external-secrets, store: vault}", "{via: external-secrets, store: v, scope: namespace, refresh: 15m}"
    )
    spec = emitted_object(text, "ExternalSecret", "vault.lake")["spec"]

    assert spec["secretStoreRef"] == {"name": "v", "kind": "SecretStore"}
    assert spec["refreshInterval"] == "900s"


def test_references_to_one_path_share_a_secret() -> None:
    text = changed("key: secret://vault/pagerduty#fraud", "key: secret://vault/scorer#pagerduty")
    keys = {
        each["metadata"]["namespace"]: sorted(entry["secretKey"] for entry in each["spec"]["data"])
        for each in emitted(text)
        if each["kind"] == "ExternalSecret" and each["metadata"]["name"] == "vault.scorer"
    }

    assert keys == {"fraud": ["pagerduty", "token"], "monitoring": ["pagerduty"]}


def test_existing_secrets_are_listed_and_not_created() -> None:
    here = context(EXISTING)
    listed = existing_secrets(here.plan.on("main"), here)

    assert names(EXISTING, "ExternalSecret") == []
    assert {(each.namespace, each.name): each.keys for each in listed} == {
        ("fraud", "lake"): ("access-key-id", "secret-access-key"),
        ("fraud", "scorer"): ("token",),
        ("fraud", "pagerduty"): ("fraud",),
        ("monitoring", "pagerduty"): ("fraud",),
    }


def test_remote_write_token_is_in_prometheus_namespace() -> None:
    telemetry = '{remoteWrite: "https://m.acme.example/p", secret: secret://vault/metrics#token, namespace: obs}'
    text = changed("      residency: eu\n", f"      residency: eu\n      telemetry: {telemetry}\n")

    assert emitted_object(text, "ExternalSecret", "vault.metrics")["metadata"]["namespace"] == "obs"


def test_certificate_secret_has_tls_keys_and_type() -> None:
    text = changed(
        "{name: edge, namespace: gateways, mirrors: true}", "{class: cilium, certificate: secret://vault/tls}"
    )
    spec = emitted_object(text, "ExternalSecret", "vault.tls")["spec"]

    assert [each["secretKey"] for each in spec["data"]] == ["tls.crt", "tls.key"]
    assert spec["target"]["template"] == {"type": "kubernetes.io/tls"}


def test_secret_lists_the_workloads_that_use_it() -> None:
    here = context(VALID_SPEC)
    (token,) = [each for each in secrets_of(here.plan.on("main"), here) if each.name == "vault.scorer"]

    assert token.workloads == ("inference.scorer",)
