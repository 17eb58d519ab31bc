"""Tests that cluster checks report unsupported features at the line that requests them."""

from __future__ import annotations

import pytest

from tests.emitted import refused
from tests.specs import VALID_SPEC, changed

HERE = "      residency: eu\n"
GATEWAY = "{name: edge, namespace: gateways, mirrors: true}"
PUBLIC = ("exposure: internal", "exposure: public")


def target(line: str) -> str:
    return changed(HERE, f"{HERE}      {line}\n")


def test_valid_spec_has_no_errors() -> None:
    assert refused(VALID_SPEC) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (target("tenancy: shared"), ["E0628 tenancy"] * 4),
        (target("tenancy: shared\n      present: [kuberay, prometheus, external-secrets]"), ["E0628 tenancy"]),
        (
            target('present: [prometheus]\n      telemetry: {remoteWrite: "https://m.acme.example/push"}'),
            ["E0629 remoteWrite"],
        ),
        (
            target('telemetry: {prometheus: "http://prometheus.obs:9090"}'),
            ['E0630 "http://prometheus.obs:9090"'],
        ),
        (changed(GATEWAY, "{class: cilium}", PUBLIC), ["E0631 public"]),
        (changed(GATEWAY, "{class: cilium, certificate: secret://vault/tls}", PUBLIC), []),
        (changed("labels: {domain: payments}", "labels: {modelyard.dev/system: x}"), ["E0632 modelyard.dev/system"]),
        (
            changed("key: secret://vault/pagerduty#fraud", "key: secret://vault/Lake#fraud"),
            ["E0633 secret://vault/Lake#fraud"],
        ),
    ],
)
def test_unsupported_settings_are_refused(text: str, expected: list[str]) -> None:
    assert refused(text) == expected


def retained(metrics: str, *more: tuple[str, str]) -> list[str]:
    return refused(changed(", runs: 7d}", f", runs: 7d, metrics: {metrics}}}", *more))


def test_retention_that_exceeds_the_volume_is_reported() -> None:
    """The retention is compared with the volume size, which depends on the profile and on `edge`."""
    assert retained("30d") == []
    assert retained("60d") == ["W0635 60d"]
    assert retained("60d", ("size: small", "size: enterprise")) == []
    assert retained("30d", (HERE, f"{HERE}      edge: true\n")) == ["W0696 scorer", "W0696 scorer", "W0635 30d"]
    assert retained("60d", (HERE, f"{HERE}      present: [prometheus]\n")) == ["W0634 metrics"]


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("{type: object, credentials: secret://vault/lake}", ["E0623 lake"]),
        ('{type: object, endpoint: "https://s3.acme.example"}', ["E0626 lake"]),
        ("{type: object, adopt: x, versioned: true}", ["E0624 versioned"]),
        ("{type: object, adopt: x, retention: 30d}", ["E0624 retention"]),
        ("{type: object, adopt: x}", []),
    ],
)
def test_invalid_bucket_settings_are_refused(store: str, expected: list[str]) -> None:
    before = (
        '{type: object, adopt: acme-fraud-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}'
    )

    assert refused(changed(before, store)) == expected


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("{type: database, credentials: secret://vault/runs}", ["E0625 credentials"]),
        ('{type: database, adopt: "db.acme.example/mlflow"}', ["E0626 runs"]),
        (
            '{type: database, adopt: "db.acme.example/mlflow", credentials: secret://vault/runs, size: 5Gi}',
            ["E0624 size"],
        ),
        ('{type: database, adopt: "db.acme.example/mlflow", credentials: secret://vault/runs}', []),
    ],
)
def test_invalid_database_settings_are_refused(store: str, expected: list[str]) -> None:
    assert refused(changed("runs: {type: database}", f"runs: {store}")) == expected


def test_settings_without_effect_are_reported() -> None:
    nothing = target(
        "storageClass: fast\n      present: [kuberay, prometheus, external-secrets, cloudnative-pg]"
    ).replace(
        "runs: {type: database}", 'runs: {type: database, adopt: "db.acme.example/m", credentials: secret://vault/runs}'
    )

    assert refused(nothing) == ["W0634 storageClass"]
    assert refused(target("accessKeys: [2]")) == ["W0634 accessKeys"]


def test_certificate_without_effect_is_reported() -> None:
    """A certificate has no effect if all rollouts are incremental, because KubeRay's Gateways have no TLS."""
    text = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    rollout: {strategy: incremental}\n",
        ("      host: scores.acme.example\n", ""),
        (GATEWAY, "{class: istio, certificate: secret://vault/tls}"),
    )

    assert refused(text) == ["W0634 certificate"]
    assert refused(text.replace("strategy: incremental", "strategy: blue-green")) == []


def test_existing_secret_may_have_several_store_names() -> None:
    """References to one existing Secret through different secret store names don't conflict."""
    text = changed(
        "secretStores: {vault: {via: external-secrets, store: vault}}",
        "secretStores: {vault: {}}",
        ("key: secret://vault/pagerduty#fraud", "key: secret://kubernetes/lake#fraud"),
    )

    assert refused(text) == []


EXISTING = ("secretStores: {vault: {via: external-secrets, store: vault}}", "secretStores: {vault: {}}")


@pytest.mark.parametrize(
    "path",
    ["mlflow-admin", "mlflow-login.retrain", "mlflow-login/retrain", "grafana-admin", "runs-app", "runs-superuser"],
)
def test_reference_to_a_generated_secret_is_refused(path: str) -> None:
    text = changed(EXISTING[0], EXISTING[1], ("vault/pagerduty#fraud", f"vault/{path}#password"))

    assert refused(text) == [f"E0685 secret://vault/{path}#password"]


def test_external_secret_must_not_overwrite_a_generated_secret() -> None:
    """A secret store is rejected if its Secrets would overwrite a generated one."""
    text = changed(EXISTING[0], "secretStores: {mlflow-login: {via: external-secrets, store: vault}}")

    assert "E0685 secret://mlflow-login/pagerduty#fraud" in refused(text.replace("//vault/", "//mlflow-login/"))


def test_generated_secret_is_refused_as_pull_secret() -> None:
    assert refused(target("images: {pullSecret: mlflow-admin}")) == ["E0685 mlflow-admin"]
    assert refused(target("images: {pullSecret: mlflow}")) == []


def test_generated_secret_names_are_allowed_with_an_adopted_registry() -> None:
    text = changed(
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example"}',
        EXISTING,
        ("vault/pagerduty#fraud", "vault/mlflow-admin#password"),
    )

    assert refused(text) == []
