"""Tests that site alerts are evaluated once per site on the central target."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from modelyard.api import compile_text
from modelyard_targets.kube.metrics.by_site import by_site
from tests.examples import SYSTEMS

SHELF = SYSTEMS / "shelf"
SPEC = (SHELF / "system.yaml").read_text(encoding="utf-8").replace("/v1/write", '/v1/write", alertsOn: "centre')
TABLE = (SHELF / "shops.csv").read_text(encoding="utf-8")
SITES = 'group by (modelyard_site) (up{t="s"})'


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('sum(rate(x{a="b"}[5m]))', 'sum by (modelyard_site) (rate(x{t="s",a="b"}[5m]))'),
        ("sum by (le) (x)", 'sum by (modelyard_site, le) (x{t="s"})'),
        ("max(x{}) == 0", 'max by (modelyard_site) (x{t="s"}) == 0'),
        ('a and on (job) b{c=~"on (x)"}', 'a{t="s"} and on (modelyard_site, job) b{t="s",c=~"on (x)"}'),
        ("a unless on () b", 'a{t="s"} unless on (modelyard_site) b{t="s"}'),
        ("absent(a == 1)", f'({SITES} unless on (modelyard_site) (a{{t="s"}} == 1))'),
        ("a or vector(0)", f'a{{t="s"}} or (0 * {SITES})'),
        ("time() - m:n:o > 1e3", 'time() - m:n:o{t="s"} > 1e3'),
    ],
)
def test_expressions_for_each_site(expression: str, expected: str) -> None:
    assert by_site(expression, 't="s"') == expected


def objects(spec: str = SPEC) -> dict[str, Any]:
    """Return the alert rules and routes, keyed by target and name."""
    outcome = compile_text(spec, tables={"shops.csv": TABLE})
    assert outcome.ok, outcome.diagnostics
    by_name: dict[str, Any] = {}
    for path, content in outcome.files.items():
        if "/manifests/" in path and b"monitoring.coreos.com" in content:
            for document in yaml.safe_load_all(content):
                if document["kind"] in ("PrometheusRule", "AlertmanagerConfig"):
                    by_name[f"{path.split('/')[1]} {document['metadata']['name']}"] = document
    return by_name


def rules(manifest: Any) -> list[Any]:
    """Return all alert rules in an object."""
    return [rule for group in manifest["spec"]["groups"] for rule in group["rules"]]


def test_alerts_are_in_the_centre_and_recordings_at_the_sites() -> None:
    by_name = objects()

    assert "shops desk" not in by_name
    assert {"record"} == {key for rule in rules(by_name["shops shelf"]) for key in rule if key in ("alert", "record")}
    alerts = rules(by_name["centre sites.shops"])
    assert {rule["alert"] for rule in alerts} == {
        *("ModelyardSiteSilent", "ModelyardSloBurn", "ModelyardEndpointGone", "ModelyardMonitorBreach")
    }
    for rule in alerts:
        assert rule["labels"]["channel_desk"] == "true"
        assert rule["labels"]["modelyard_target"] == "shops"
        assert 'modelyard_target="shops"' in rule["expr"]
        assert rule["annotations"]["summary"].startswith("{{ $labels.modelyard_site }}")


def test_a_silent_site_is_known_by_its_name() -> None:
    """The silent site alert covers every site by name, even one that has never sent any data."""
    (silent,) = [rule for rule in rules(objects()["centre sites.shops"]) if rule["alert"] == "ModelyardSiteSilent"]

    assert all(f'"{name}"' in silent["expr"] for name in ("shop-001", "shop-002", "shop-003", "shop-107"))


def test_an_objective_that_differs_between_sites_is_refused() -> None:
    table = "\n".join(
        f"{line},{'p99' if at == 0 else f'{at}00ms'}" for at, line in enumerate(TABLE.strip().splitlines())
    )
    outcome = compile_text(SPEC.replace("p99: 200ms", 'p99: "${site.p99}"'), tables={"shops.csv": table})

    assert [diagnostic.code for diagnostic in outcome.diagnostics if diagnostic.severity == "error"] == ["E0669"]
    assert "an alert that target 'centre' evaluates differs" in outcome.diagnostics[0].message


def test_readmes_describe_what_differs_between_sites() -> None:
    """The central README lists the site alerts.

    A shell rejects a placeholder in a command unless it is quoted.
    """
    outcome = compile_text(SPEC, tables={"shops.csv": TABLE})
    (centre,) = [content.decode() for path, content in outcome.files.items() if path.endswith("centre/README.md")]
    (shops,) = [content.decode() for path, content in outcome.files.items() if path.endswith("shops/README.md")]

    assert "| A site sends no metrics; the error budget burns too fast; the endpoint stops answering; " in centre
    assert "| each site of shops | desk |" in centre
    assert "   image='${site.registry}/shelf/shelf-runtime:" in shops
    assert 'docker push "$image"' in shops
    assert "docker push ${" not in shops
    assert "At a site with one machine, each of these has a volume" in shops


WAVES = ", waves: {canary: [shop-001], shares: [50%], soak: 12h}"
WAVES_ONLY = (SHELF / "system.yaml").read_text(encoding="utf-8")
ALERTS_ONLY = SPEC.replace(WAVES, "")
NEITHER = WAVES_ONLY.replace(WAVES, "")


@pytest.mark.parametrize(
    ("spec", "until"),
    [
        (WAVES_ONLY, "no wave after the canary starts."),
        (ALERTS_ONLY, "`ModelyardSiteSilent` fires for every site."),
        (SPEC, "no wave after the canary starts, and `ModelyardSiteSilent` fires for every site."),
    ],
)
def test_a_prometheus_that_needs_the_metrics_of_sites_accepts_them(spec: str, until: str) -> None:
    """The README of the centre explains how to route them there, and that of the sites says to do it first."""
    outcome = compile_text(spec, tables={"shops.csv": TABLE})
    centre, shops = (outcome.files[f"default/{name}/README.md"].decode() for name in ("centre", "shops"))
    program = outcome.files["default/centre/workloads/__main__.py"].decode()
    (prerequisite,) = [line for line in centre.splitlines() if "`https://metrics.acme.example/api/v1/write`" in line]

    assert '"enableRemoteWriteReceiver": True' in program
    assert "port 9090 of the Service `prometheus-operated` in the namespace `monitoring`" in prerequisite
    assert "NetworkPolicy" in prerequisite
    assert prerequisite.endswith(f"Until the metrics arrive, {until}")
    assert "Before the sites, deploy centre, and let its Prometheus receive the metrics" in shops


def test_an_existing_prometheus_needs_a_flag_for_the_metrics_of_sites() -> None:
    spec = WAVES_ONLY.replace("context: centre\n", "context: centre\n      present: [prometheus]\n")
    centre = compile_text(spec, tables={"shops.csv": TABLE}).files["default/centre/README.md"].decode()

    assert "accepts such metrics only with `--web.enable-remote-write-receiver`" in centre
    assert "prometheus-operated" not in centre


def test_metrics_of_sites_that_nothing_evaluates_have_no_prerequisite() -> None:
    outcome = compile_text(NEITHER, tables={"shops.csv": TABLE})

    assert "enableRemoteWriteReceiver" not in outcome.files["default/centre/workloads/__main__.py"].decode()
    assert "metrics.acme.example/api" not in outcome.files["default/centre/README.md"].decode()
    assert "let its Prometheus receive" not in outcome.files["default/shops/README.md"].decode()


@pytest.mark.parametrize("edge", [True, False])
def test_sites_whose_alerts_are_evaluated_elsewhere_have_no_alertmanager(edge: bool) -> None:
    """They have neither its volume, its image nor its network policies, and their README refers to the centre."""
    spec = ALERTS_ONLY if edge else ALERTS_ONLY.replace("      edge: true\n", "")
    outcome = compile_text(spec, tables={"shops.csv": TABLE})
    shops = {path: content.decode() for path, content in outcome.files.items() if path.startswith("default/shops/")}
    program, readme = (shops[f"default/shops/{name}"] for name in ("workloads/__main__.py", "README.md"))

    assert '"alertmanager": {"enabled": False}' in program
    assert "alertmanagerSpec" not in program
    assert ('"PrometheusNotConnectedToAlertmanagers": True' in program) == (not edge)
    assert not [path for path, content in shops.items() if "alertmanager" in content and path.endswith(".yaml")]
    assert "alertmanager" not in shops["default/shops/images.txt"]
    assert "The Prometheus of centre evaluates the alerts of this target" in readme
    assert "in the Alertmanager of centre until the first version" in readme
    assert "| channel |" not in readme


def test_sites_that_evaluate_their_own_alerts_have_an_alertmanager() -> None:
    files = compile_text(WAVES_ONLY, tables={"shops.csv": TABLE}).files

    assert b"alertmanagerSpec" in files["default/shops/workloads/__main__.py"]
    assert b"name: alertmanager\n" in files["default/shops/workloads/manifests/addons.yaml"]
    assert b"quay.io/prometheus/alertmanager" in files["default/shops/images.txt"]
    assert b"`ModelyardSloBurn` in Alertmanager until" in files["default/shops/README.md"]
