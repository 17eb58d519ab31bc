"""Prometheus and Alertmanager for a whole Kubernetes, configured from objects by the Prometheus Operator.

Both run on the node instead of in Pods, since their images can't be pulled here. Their StatefulSets have no replicas.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from testbed import build
from testbed.kubernetes.crds import PROMETHEUS_OPERATOR
from testbed.kubernetes.kubectl import Json, Object
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.places import binary
from testbed.processes import Processes

NAMESPACE = "monitoring"
NAME = "main"
_PROMETHEUS, _ALERTMANAGER, _API = 9090, 9093, 8001
_RULES = "/etc/prometheus/rules"
_SELECTED = ("serviceMonitor", "podMonitor", "rule", "probe", "scrapeConfig")
_OF_PROMETHEUS = (f"prometheus-{NAME}", "prometheus.yaml.gz")
_OF_ALERTMANAGER = (f"alertmanager-{NAME}-generated", "alertmanager.yaml.gz")
"""For each program, the Secret with its configuration, which the operator writes, and the key in that Secret."""

_OF_THE_CHART = ("NilUsesHelmValues", "storageSpec")
"""Suffixes of chart values that are not fields of a Prometheus, because the chart itself reads or renames them."""

_OF_THE_POD = {"$(SHARD)": "0", "$(POD_NAME)": f"prometheus-{NAME}-0"}
"""Pod variables that the Prometheus config reloader substitutes."""

_OWN_KINDS = ("alertmanagers", "prometheuses")


@dataclass(frozen=True, slots=True)
class Monitoring:
    """A running Prometheus and Alertmanager."""

    cluster: WholeKubernetes

    def targets(self, job: str) -> list[str]:
        """Return the health (up or down) of the targets in a job such as `podMonitor/loans/ray-heads/0`."""
        response = self._ask(f"http://{NODE_ADDRESS}:{_PROMETHEUS}/api/v1/targets?state=active")
        return [each["health"] for each in response["data"]["activeTargets"] if each["scrapePool"] == job]

    def fires(self, alert: str) -> bool:
        """Return whether an alert with the given name is firing."""
        response = self._ask(f"http://{NODE_ADDRESS}:{_PROMETHEUS}/api/v1/alerts")
        return any(
            entry["labels"]["alertname"] == alert and entry["state"] == "firing" for entry in response["data"]["alerts"]
        )

    def values(self, query: str, label: str) -> dict[str, float]:
        """Return the current value of each series selected by a query, by the value of the given label."""
        response = self._ask(f"http://{NODE_ADDRESS}:{_PROMETHEUS}/api/v1/query?query={quote(query)}")
        return {series["metric"][label]: float(series["value"][1]) for series in response["data"]["result"]}

    def _ask(self, url: str) -> Any:
        return json.loads(self.cluster.fetch(url))


@contextmanager
def monitoring(
    cluster: WholeKubernetes, folder: Path, prometheus: Object, alertmanager: Object
) -> Generator[Monitoring]:
    """Start the operator, and run Prometheus and Alertmanager with the configuration it generates.

    `prometheus` and `alertmanager` are the `spec` of each object as rendered by the chart.
    """
    folder.mkdir()
    definitions = build.download(PROMETHEUS_OPERATOR) / "example" / "prometheus-operator-crd"
    cluster.kubectl.apply(*(definitions / f"monitoring.coreos.com_{kind}.yaml" for kind in _OWN_KINDS))
    cluster.kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    cluster.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}])
    cluster.kubectl.apply(_instances(prometheus, alertmanager))
    try:
        with Processes(folder, cluster.within) as processes:
            _start_operator(cluster, processes)
            cluster.kubectl.wait_until(lambda: all(_is_written(cluster)), "the operator has written what both read")
            _start_alertmanager(cluster, processes, folder)
            _start_prometheus(cluster, processes, folder)
            yield Monitoring(cluster)
    finally:
        cluster.kubectl.run("delete", "namespace", NAMESPACE, "--wait=false")


def _instances(prometheus: Object, alertmanager: Object) -> list[Object]:
    everything: dict[str, Json] = {}
    for kind in _SELECTED:
        everything |= {f"{kind}Selector": {}, f"{kind}NamespaceSelector": {}}
    alerted: dict[str, Json] = {"name": "alertmanager-operated", "namespace": NAMESPACE, "port": "web"}
    scraping: dict[str, Json] = {
        **{name: value for name, value in prometheus.items() if not name.endswith(_OF_THE_CHART)},
        **everything,
        "replicas": 0,
        "apiserverConfig": {"host": f"http://127.0.0.1:{_API}"},
        # EndpointSlices can be created manually alongside those of the control plane, which deletes addresses from
        # Endpoints.
        "serviceDiscoveryRole": "EndpointSlice",
        "alerting": {"alertmanagers": [alerted]},
    }
    alerting: dict[str, Json] = {
        **alertmanager,
        "replicas": 0,
        "alertmanagerConfigSelector": {},
        "alertmanagerConfigNamespaceSelector": {},
    }
    slices = (("prometheus-operated", _PROMETHEUS), ("alertmanager-operated", _ALERTMANAGER))
    return [
        _instance("Prometheus", scraping),
        _instance("Alertmanager", alerting),
        *(on_the_node(name, NAMESPACE, port, "web") for name, port in slices),
    ]


def _instance(kind: str, spec: Object) -> Object:
    meta: Object = {"name": NAME, "namespace": NAMESPACE}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": kind, "metadata": meta, "spec": spec}


def on_the_node(service: str, namespace: str, port: int, name: str = "") -> Object:
    """Return the EndpointSlice that routes a Service without a selector to a port on the node."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-node",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"name": name, "port": port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
    }


def _start_operator(cluster: WholeKubernetes, processes: Processes) -> None:
    """Start the operator with an API proxy, as it doesn't accept a token in a kubeconfig.

    Prometheus uses the proxy too.
    """
    kubectl = cluster.kubectl
    processes.start("api-proxy", kubectl.binary, f"--kubeconfig={kubectl.kubeconfig}", "proxy", f"--port={_API}")
    url = f"http://127.0.0.1:{_API}"
    processes.wait_until(lambda: cluster.reaches(f"{url}/readyz"), "the proxy of the API answers", 30)
    processes.start(
        "prometheus-operator",
        binary("prometheus-operator"),
        f"--apiserver={url}",
        "--web.listen-address=127.0.0.1:8070",
    )


def _start_alertmanager(cluster: WholeKubernetes, processes: Processes, folder: Path) -> None:
    settings = folder / "alertmanager.yaml"
    settings.write_text(_configuration(cluster, *_OF_ALERTMANAGER))
    processes.start(
        "alertmanager",
        binary("alertmanager"),
        f"--config.file={settings}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={NODE_ADDRESS}:{_ALERTMANAGER}",
        "--cluster.listen-address=",
    )
    ready = f"http://{NODE_ADDRESS}:{_ALERTMANAGER}/-/ready"
    processes.wait_until(lambda: cluster.reaches(ready), "Alertmanager is ready", 60)


def _start_prometheus(cluster: WholeKubernetes, processes: Processes, folder: Path) -> None:
    settings = folder / "prometheus.yaml"
    text = _configuration(cluster, *_OF_PROMETHEUS)
    for name, value in {_RULES: str(folder / "rules"), **_OF_THE_POD}.items():
        text = text.replace(name, value)
    settings.write_text(text)
    for config_map in cast("list[Any]", _rules(cluster)):
        rules = folder / "rules" / config_map["metadata"]["name"]
        rules.mkdir(parents=True)
        for name, rule in config_map["data"].items():
            (rules / name).write_text(rule)
    processes.start(
        "prometheus",
        binary("prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={NODE_ADDRESS}:{_PROMETHEUS}",
        "--web.enable-otlp-receiver",
    )
    ready = f"http://{NODE_ADDRESS}:{_PROMETHEUS}/-/ready"
    processes.wait_until(lambda: cluster.reaches(ready), "Prometheus is ready", 60)


def _is_written(cluster: WholeKubernetes) -> tuple[bool, bool, bool]:
    """Return whether the operator has written the two configurations and the rules."""
    prometheus, alertmanager = (bool(_encoded(cluster, *each)) for each in (_OF_PROMETHEUS, _OF_ALERTMANAGER))
    return prometheus, alertmanager, bool(_rules(cluster))


def _rules(cluster: WholeKubernetes) -> list[Object]:
    return cluster.kubectl.all("configmaps", NAMESPACE, f"prometheus-name={NAME}")


def _configuration(cluster: WholeKubernetes, secret: str, key: str) -> str:
    return gzip.decompress(base64.b64decode(_encoded(cluster, secret, key))).decode()


def _encoded(cluster: WholeKubernetes, secret: str, key: str) -> str:
    escaped = key.replace(".", "\\.")
    return cluster.kubectl.value("secret", secret, f"{{.data.{escaped}}}", NAMESPACE)
