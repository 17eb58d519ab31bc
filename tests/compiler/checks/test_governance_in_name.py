"""Tests that safeguards in name only are reported: gates, approvals, addresses and overrides that protect nothing."""

from __future__ import annotations

import pytest

from modelyard.checks.addresses import country_of, in_clear
from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import VALID_SPEC, changed

HIGH = ("risk: limited", "risk: high")
BANK = ("industry: retail", "industry: banking")
APPROVALS = "from: [model-risk, payments-risk], minimum: 2"
AUC, BETTER = (
    "      auc-pr: {metric: auc_pr, min: 0.82}\n",
    "      beats-champion: {metric: auc_pr, versus: champion, minDelta: 0.01}\n",
)
ENDPOINT = "https://s3.acme.example"


def test_high_risk_models_need_an_effective_gate() -> None:
    """High risk requires a gate, which must also evaluate a model's first version."""
    ungated = changed(*HIGH, (f"    validation:\n{AUC}{BETTER}", ""))

    assert places_in(ungated) == [where(ungated, "fraud-xgb:\n    task", "E0830")]
    assert codes_in(ungated.replace("risk: high", "risk: limited")) == ["W0937"]
    assert codes_in(changed(*HIGH, (AUC, ""))) == ["W0831"]
    assert codes_in(changed(*HIGH, (BETTER, ""))) == []
    assert codes_in(changed(*HIGH)) == []


@pytest.mark.parametrize(
    ("groups", "limited", "high"),
    [
        ("from: [payments-risk]", ["W0832", "W0936"], ["E0832", "W0936"]),
        ("from: [Payments-Risk], minimum: 1", ["W0832", "W0936"], ["E0832", "W0936"]),
        ("from: [model-risk, payments-risk]", ["W0832"], ["W0832"]),
        ("from: [model-risk, payments-risk], minimum: 2", [], []),
        ("from: [model-risk]", ["W0936"], ["W0936"]),
    ],
)
def test_the_owner_alone_must_not_approve(groups: str, limited: list[str], high: list[str]) -> None:
    """The owner must not be the only group of approvers, nor may the owner's approval alone suffice."""
    owner = "Payments-Risk" if "Payments-Risk" in groups else "payments-risk"
    keys = ("    payments-risk:\n", f"    {owner}:\n")

    assert codes_in(changed(APPROVALS, groups, keys)) == limited
    assert codes_in(changed(APPROVALS, groups, keys, HIGH)) == high


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("http://s3.acme.example", True),
        ("http://10.20.0.7:9000", True),
        ("http://minio.storage.svc.acme.internal:9000", False),
        ("https://s3.acme.example", False),
        ("http://minio:9000", False),
        ("http://minio.storage:9000", False),
        ("http://minio.storage.svc", False),
        ("http://minio.storage.svc.cluster.local:9000", False),
    ],
)
def test_clear_text_addresses_are_recognized(url: str, clear: bool) -> None:
    """Unencrypted addresses are recognized. Services in the cluster are internal, whatever the cluster domain."""
    assert in_clear(url) == clear


def test_credentials_and_personal_data_in_clear_text_are_reported() -> None:
    """Unencrypted addresses of stores, registries and metrics receivers are reported."""
    store = changed(ENDPOINT, "http://s3.acme.example")
    registry = changed(
        "{database: runs, artifacts: lake}", "{adopt: 'http://mlflow.acme.example', credentials: secret://vault/mlflow}"
    )
    metrics = changed(
        "      residency: eu\n",
        "      residency: eu\n      telemetry: {remoteWrite: 'http://mimir.acme.example/push', secret: 'secret://vault/m#token'}\n",
    )

    assert places_in(store) == [where(store, '"http://s3', "E0833")]
    assert "E0833" in codes_in(registry)
    assert "E0833" not in codes_in(registry.replace("mlflow.acme.example", "mlflow.mlflow.svc:5000"))
    assert codes_in(metrics) == ["E0833"]


def test_requests_with_personal_data_without_tls_are_reported() -> None:
    """Unencrypted requests are reported, as the system's own Gateway has no certificate in this spec."""
    gateway = "gateway: {name: edge, namespace: gateways, mirrors: true}"
    spec = changed(gateway, "gateway: {class: envoy, mirrors: true}")
    token = "      auth: {type: bearer-token, token: secret://vault/scorer#token}\n"

    assert places_in(spec) == [where(spec, "internal\n", "W0839")]
    assert codes_in(spec.replace("class: envoy", "class: envoy, certificate: secret://vault/tls/scores")) == []
    assert (
        codes_in(
            spec.replace("dataClasses: [pii]", "dataClasses: [internal]").replace(
                "classification: pii", "classification: internal"
            )
        )
        == []
    )
    assert codes_in(spec.replace(*BANK)) == []
    assert codes_in(spec.replace(*BANK).replace(token, "")) == ["W0422", "W0839"]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://s3.us-east-1.amazonaws.com", ("us-east-1", "us")),
        ("https://s3-us-west-2.amazonaws.com", ("us-west-2", "us")),
        ("https://s3.dualstack.eu-central-1.amazonaws.com", ("eu-central-1", "de")),
        ("https://s3.acme.example", None),
    ],
)
def test_regions_in_addresses_are_recognized(url: str, place: tuple[str, str] | None) -> None:
    assert country_of(url) == place


def test_addresses_outside_the_residency_are_reported() -> None:
    """Buckets and registries must be within the declared residency, if any."""
    abroad = changed(ENDPOINT, "https://s3.us-east-1.amazonaws.com")
    registry = changed("{database: runs, artifacts: lake}", "{adopt: 'https://mlflow.us-east-1.acme.example'}")

    assert places_in(abroad) == [where(abroad, '"https://s3.us', "E0834")]
    assert "E0834" in codes_in(registry)
    assert codes_in(changed(ENDPOINT, "https://s3.eu-central-1.amazonaws.com")) == []
    assert codes_in(abroad.replace("  residency: [eu]\n", "")) == ["W0423"]


def test_an_s3_bucket_outside_the_residency_is_reported() -> None:
    """For Amazon S3, the bucket's region counts. Other S3-compatible services may use any region name."""
    region = changed(f'endpoint: "{ENDPOINT}"', "region: us-east-1")

    assert places_in(region) == [where(region, "us-east-1", "E0834")]
    assert codes_in(region.replace("us-east-1", "eu-west-1")) == []
    assert codes_in(changed(f'endpoint: "{ENDPOINT}"', f'endpoint: "{ENDPOINT}", region: us-east-1')) == []


def _override(patch: str, target: str = "RayService/scorer-champion") -> str:
    return f"{VALID_SPEC}overrides:\n  debug: {{object: {target}, reason: Debugging., patch: [{patch}]}}\n"


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        ("RayService/x", "{op: add, path: /spec/securityContext/privileged, value: true}"),
        (
            "RayService/x",
            "{op: replace, path: /spec/template/spec, value: {containers: [{securityContext: {privileged: true}}]}}",
        ),
        ("RayService/x", "{op: add, path: /spec/volumes/-, value: {name: host, hostPath: {path: /}}}"),
        ("RayService/x", "{op: replace, path: /spec/automountServiceAccountToken, value: true}"),
        ("RayService/x", "{op: replace, path: /spec/securityContext/runAsUser, value: 0}"),
        ("RayService/x", "{op: replace, path: /spec/securityContext/runAsNonRoot, value: false}"),
        ("RayService/x", "{op: remove, path: /spec/template/spec/securityContext}"),
        ("RayService/x", "{op: replace, path: /spec/securityContext, value: {}}"),
        ("RayService/x", "{op: move, from: /spec/securityContext/seccompProfile, path: /spec/x}"),
        ("RayService/x", "{op: add, path: /spec/securityContext/capabilities/add, value: [SYS_ADMIN]}"),
        ("RayService/x", "{op: add, path: /spec/seccompProfile, value: {type: Unconfined}}"),
        ("NetworkPolicy/x", "{op: add, path: /spec/egress/-, value: {}}"),
        ("NetworkPolicy/x", "{op: remove, path: /spec/policyTypes/1}"),
        ("Role/x", "{op: add, path: /rules/-, value: {verbs: ['*']}}"),
        ("Service/x", "{op: add, path: /spec/type, value: LoadBalancer}"),
        ("NetworkPolicy/x", "{op: move, from: /spec/egress, path: /metadata/annotations/x}"),
        ("ServiceAccount/x", "{op: replace, path: /metadata/annotations/eks.amazonaws.com~1role-arn, value: a}"),
        ("ServiceAccount/x", "{op: add, path: /metadata/annotations, value: {eks.amazonaws.com/role-arn: a}}"),
        ("ServiceAccount/x", "{op: replace, path: /metadata/annotations, value: {team: fraud}}"),
        ("ServiceAccount/x", "{op: remove, path: /metadata/annotations}"),
        ("Namespace/x", "{op: remove, path: /metadata/labels}"),
        ("Namespace/x", "{op: add, path: /metadata/labels, value: {team: fraud}}"),
        ("Namespace/x", "{op: replace, path: /metadata, value: {name: x}}"),
        (
            "Namespace/x",
            "{op: replace, path: /metadata/labels, value: {pod-security.kubernetes.io/enforce: privileged}}",
        ),
        ("Namespace/x", "{op: move, from: /metadata/labels, path: /metadata/annotations}"),
        ("RayService/x", "{op: copy, from: /spec/a, path: /spec/template/spec/hostNetwork}"),
        ("RayService/x", "{op: replace, path: /spec/containers/0, value: {name: a, image: b}}"),
        ("RayService/x", "{op: replace, path: /spec/template, value: {spec: {containers: [{name: a, image: b}]}}}"),
        ("RayService/x", "{op: replace, path: /spec/containers/0/securityContext, value: {runAsUser: 1000}}"),
    ],
)
def test_overrides_that_remove_a_safeguard_are_reported(target: str, patch: str) -> None:
    """Overrides that remove a safeguard cause a warning, or an error at high risk in a regulated industry."""
    spec = _override(patch, target)

    assert codes_in(spec) == ["W0410", "W0835"]
    assert codes_in(spec.replace(*BANK)) == ["W0410", "W0835"]
    assert codes_in(spec.replace(*BANK).replace(*HIGH)) == ["W0410", "E0835"]


@pytest.mark.parametrize(
    ("target", "patch"),
    [
        ("RayService/x", "{op: replace, path: /spec/replicas, value: 0}"),
        ("RayService/x", "{op: add, path: /spec/securityContext/privileged, value: false}"),
        ("RayService/x", "{op: test, path: /spec/securityContext/privileged, value: true}"),
        ("RayService/x", "{op: replace, path: /spec/securityContext/runAsUser, value: 1000}"),
        ("RayService/x", "{op: replace, path: /spec/runAsNonRoot, value: true}"),
        ("RayService/x", "{op: replace, path: /spec/strategy/type, value: Recreate}"),
        ("NetworkPolicy/x", "{op: add, path: /metadata/labels/team, value: fraud}"),
        ("Namespace/x", "{op: add, path: /metadata/labels/team, value: fraud}"),
        ("Namespace/x", "{op: add, path: /metadata/annotations, value: {team: fraud}}"),
        ("ServiceAccount/x", "{op: add, path: /metadata/annotations, value: {team: fraud}}"),
        ("RayService/x", "{op: replace, path: /spec/containers/0/image, value: a}"),
        (
            "RayService/x",
            "{op: add, path: /spec/containers/-, value: {name: a, securityContext: {allowPrivilegeEscalation: false,"
            " capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}}}",
        ),
        ("Service/x", "{op: replace, path: /spec/type, value: ClusterIP}"),
        ("Secret/x", "{op: replace, path: /type, value: NodePort}"),
    ],
)
def test_overrides_that_keep_all_safeguards_are_accepted(target: str, patch: str) -> None:
    assert codes_in(_override(patch, target)) == ["W0410"]
