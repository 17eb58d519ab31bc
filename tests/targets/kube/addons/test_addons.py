"""Tests that missing add-ons are installed with pinned versions and Helm values accepted by their charts."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard_targets.kube.addons.addons import asked_by_addons
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.pods.sizes import Size
from tests.chart_values import unknown_values
from tests.emitted import argument, calls, context, files
from tests.specs import VALID_SPEC, changed

PULLED = "      images: {registry: registry.acme.example, pullSecret: pull, mirror: true}\n"
REMOTE = '      telemetry: {remoteWrite: "https://m.acme.example/push", secret: secret://vault/metrics#token}\n'
EDGE = changed("      residency: eu\n", f"      residency: eu\n      edge: true\n{REMOTE}")
SPECS = {
    "valid": VALID_SPEC,
    "enterprise": changed("size: small", "size: enterprise"),
    "edge": EDGE,
    "pulled": changed("      residency: eu\n", f"      residency: eu\n{PULLED}"),
}


def present(*addons: str) -> str:
    return changed("      residency: eu\n", f"      residency: eu\n      present: [{', '.join(addons)}]\n")


def prometheus(text: str) -> dict[str, Any]:
    values: dict[str, Any] = argument(calls(text)["kube-prometheus-stack"], "values")
    return values


def test_add_ons_have_pinned_charts_and_own_namespaces() -> None:
    components = calls(VALID_SPEC)

    for addon in ("kuberay", "prometheus", "external-secrets", "cloudnative-pg"):
        chart = charts()[addon]
        assert argument(components[chart.chart], "version") == chart.version
        assert argument(components[chart.chart], "namespace") == chart.namespace or chart.namespace in components


def test_present_add_ons_are_not_installed() -> None:
    components = calls(present("kuberay", "prometheus", "external-secrets", "cloudnative-pg"))

    assert [name for name, call in components.items() if call.component == "kubernetes.Chart"] == []


def test_unneeded_add_ons_are_not_installed() -> None:
    text = changed("secretStores: {vault: {via: external-secrets, store: vault}}", "secretStores: {vault: {}}")

    assert "external-secrets" not in calls(text)


@pytest.mark.parametrize("name", SPECS)
def test_every_value_exists_in_its_chart(name: str) -> None:
    """All emitted Helm values exist in the values.yaml of their charts."""
    assert unknown_values(calls(SPECS[name]).values()) == []


def test_prometheus_operator_webhook_is_off() -> None:
    operator = prometheus(VALID_SPEC)["prometheusOperator"]

    assert operator["admissionWebhooks"] == {"enabled": False}
    assert operator["tls"] == {"enabled": False}


def test_prometheus_selects_all_objects_and_accepts_otlp() -> None:
    spec = prometheus(VALID_SPEC)["prometheus"]["prometheusSpec"]

    assert spec["podMonitorSelectorNilUsesHelmValues"] is False
    assert spec["ruleSelectorNilUsesHelmValues"] is False
    assert spec["enableOTLPReceiver"] is True


def test_control_plane_monitoring_is_off() -> None:
    values = prometheus(VALID_SPEC)

    assert [values[name] for name in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")] == [
        {"enabled": False}
    ] * 4


def test_chart_alerts_have_a_routing_label() -> None:
    assert prometheus(VALID_SPEC)["defaultRules"] == {
        "create": True,
        "additionalRuleLabels": {"modelyard_alerts": "cluster"},
        "disabled": {"KubeJobFailed": True, "KubeJobNotCompleted": True},
    }
    strategy = prometheus(VALID_SPEC)["alertmanager"]["alertmanagerSpec"]["alertmanagerConfigMatcherStrategy"]
    assert strategy == {"type": "OnNamespaceExceptForAlertmanagerNamespace"}


def test_retention_follows_the_spec() -> None:
    text = changed("retention: {captures: 90d, runs: 7d}", "retention: {captures: 90d, runs: 7d, metrics: 30d}")

    assert prometheus(text)["prometheus"]["prometheusSpec"]["retention"] == "720h"


@pytest.mark.parametrize(("retention", "hours"), [("90m", "2h"), ("30m", "1h")])
def test_retention_is_rounded_up_to_hours(retention: str, hours: str) -> None:
    text = changed(
        "retention: {captures: 90d, runs: 7d}", f"retention: {{captures: 90d, runs: 7d, metrics: {retention}}}"
    )

    assert prometheus(text)["prometheus"]["prometheusSpec"]["retention"] == hours


@pytest.mark.parametrize(
    ("name", "requests"),
    [("valid", "1.82 CPUs and 4.1Gi"), ("enterprise", "3.27 CPUs and 11.2Gi"), ("edge", "0.82 CPUs and 2.7Gi")],
)
def test_readme_lists_total_requests_of_add_ons(name: str, requests: str) -> None:
    """The README lists the total requests of add-ons, which run on the same machines as the system's Pods."""
    assert f"they request {requests} in total" in files(SPECS[name])["README.md"]


def test_only_enabled_components_are_counted() -> None:
    """Components that are off aren't counted.

    At the edge, Grafana is off, and so is kube-state-metrics unless an alert needs it.
    """
    quiet = EDGE[: EDGE.index("pipelines:")] + EDGE[EDGE.index("inference:") :].replace("run: pipelines.retrain, ", "")
    quiet = quiet.replace(", oncall: oncall", "")

    assert prometheus(EDGE)["kubeStateMetrics"] == {"enabled": True}
    assert prometheus(quiet)["kubeStateMetrics"] == {"enabled": False}
    assert "kube-state-metrics" not in prometheus(quiet)
    assert asked_by_addons(context(present("kuberay", "prometheus", "external-secrets"))) == Size(100, 256 * 1024**2)


def test_prometheus_uses_less_than_its_volume() -> None:
    spec = prometheus(VALID_SPEC)["prometheus"]["prometheusSpec"]
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]

    assert (spec["retentionSize"], claim["resources"]["requests"]["storage"]) == ("18GB", "20Gi")


def test_grafana_has_no_ingress_or_anonymous_access() -> None:
    grafana = prometheus(VALID_SPEC)["grafana"]

    assert grafana["admin"]["existingSecret"] == "grafana-admin"
    assert "ingress" not in grafana
    assert grafana["grafana.ini"]["auth.anonymous"] == {"enabled": False}
    assert argument(calls(VALID_SPEC)["grafana-admin"], "generated") == ("admin-password",)


def test_edge_prometheus_has_remote_write_and_no_grafana() -> None:
    values = prometheus(EDGE)
    (remote,) = values["prometheus"]["prometheusSpec"]["remoteWrite"]

    assert remote["url"] == "https://m.acme.example/push"
    assert remote["authorization"]["credentials"] == {"name": "vault.metrics", "key": "token"}
    assert remote["queueConfig"]["maxBackoff"] == "5m"
    assert values["grafana"] == {"enabled": False}
    assert "grafana-admin" not in calls(EDGE)


def test_images_come_from_the_mirror() -> None:
    components = calls(SPECS["pulled"])

    assert prometheus(SPECS["pulled"])["global"]["imageRegistry"] == "registry.acme.example"
    for name in ("kuberay-operator", "cloudnative-pg"):
        repository = argument(components[name], "values")["image"]["repository"]
        assert repository.startswith("registry.acme.example/")
    assert argument(components["external-secrets"], "values")["global"]["repository"].startswith(
        "registry.acme.example/"
    )
    assert context(SPECS["pulled"]).runtime_image.startswith("registry.acme.example/")


def test_add_ons_have_a_pull_secret_only_with_a_mirror() -> None:
    """Add-ons get the pull secret only if their images come from the mirror registry."""
    without = SPECS["pulled"].replace(", mirror: true", "")

    assert argument(calls(SPECS["pulled"])["kuberay-operator"], "values")["imagePullSecrets"] == ({"name": "pull"},)
    assert "imagePullSecrets" not in argument(calls(without)["kuberay-operator"], "values")
    assert "global" not in prometheus(without)
