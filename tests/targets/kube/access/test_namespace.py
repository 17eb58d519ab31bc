"""Tests that the system's namespace is restricted, limited to the declared capacity, and closed by default."""

from __future__ import annotations

from tests.crds import problems
from tests.emitted import emitted, emitted_object, names
from tests.specs import VALID_SPEC, changed

SHARED = changed(
    "      residency: eu\n",
    "      residency: eu\n      tenancy: shared\n"
    "      present: [kuberay, prometheus, external-secrets, cloudnative-pg]\n",
)


def test_pods_are_restricted_in_every_mode() -> None:
    labels = emitted_object(VALID_SPEC, "Namespace", "fraud")["metadata"]["labels"]

    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


def test_namespace_has_governance_annotations() -> None:
    annotations = emitted_object(VALID_SPEC, "Namespace", "fraud")["metadata"]["annotations"]

    assert annotations["governance.modelyard.dev/owner-email"] == "payments-risk@acme.example"
    assert annotations["governance.modelyard.dev/data-classes"] == "pii"
    assert annotations["governance.modelyard.dev/residency"] == "eu"
    assert annotations["governance.modelyard.dev/budget"] == "18000 USD a month, warn"


def test_user_labels_are_added_to_every_object() -> None:
    manifests = emitted(VALID_SPEC)

    assert len(manifests) > 60
    assert all(each["metadata"]["labels"]["domain"] == "payments" for each in manifests)
    assert all(each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "fraud" for each in manifests)


def test_the_quota_is_the_declared_capacity() -> None:
    hard = emitted_object(VALID_SPEC, "ResourceQuota", "declared-capacity")["spec"]["hard"]

    assert hard["requests.cpu"] == "160"
    assert hard["requests.nvidia.com/gpu"] == "2"


def test_no_quota_without_declared_capacity() -> None:
    start = VALID_SPEC.index("      capacity:\n")
    end = VALID_SPEC.index("      gateway:")
    open_cluster = (VALID_SPEC[:start] + VALID_SPEC[end:]).replace("  budget: {monthly: 18000 USD}\n", "")

    assert names(open_cluster, "ResourceQuota") == []


def test_default_policies_allow_only_dns() -> None:
    closed = emitted_object(VALID_SPEC, "NetworkPolicy", "deny-all", namespace="fraud")["spec"]
    dns = emitted_object(VALID_SPEC, "NetworkPolicy", "allow-dns", namespace="fraud")["spec"]

    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {port["port"] for rule in dns["egress"] for port in rule["ports"]} == {53, 5353}
    assert "ingress" not in dns


def test_shared_cluster_has_no_namespace_object() -> None:
    assert names(SHARED, "Namespace") == []
    assert emitted_object(SHARED, "ConfigMap", "governance")["data"]["owner-team"] == "payments-risk"


def test_every_object_is_valid() -> None:
    kinds = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ConfigMap")

    for text in (VALID_SPEC, SHARED):
        assert [problems(each) for each in emitted(text) if each["kind"] in kinds and problems(each)] == []
