"""The objects of a cluster as scanners understand them: what stands inside Ray's kinds becomes kinds they know.

Scanners look for Pods in Deployments, Jobs and CronJobs. The Pods of a RayService become Deployments and those of a
RayJob become Jobs, with the labels and the sidecar that KubeRay gives them, so that selectors find what they select
in a cluster. A run's template is taken out of the ConfigMap that its launcher reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

Object: TypeAlias = dict[str, Any]

TEMPLATE = "rayjob.json"


@dataclass(frozen=True, slots=True)
class Scanned:
    """One object for scanners. `address` says which of ours it is: `RayService/scorer/head`, `CronJob/nightly`."""

    address: str
    manifest: Object

    @property
    def name(self) -> str:
        """Its name, as scanners see it."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace; empty for what lies in none."""
        return str(self.manifest["metadata"].get("namespace", ""))


def scanned(objects: Iterable[Object]) -> Iterator[Scanned]:
    """The same objects, with those of Ray's kinds taken apart."""
    for one in objects:
        if one["kind"] == "RayService":
            yield from _cluster(one, one["spec"]["rayClusterConfig"])
            continue
        if one["kind"] == "RayJob":
            yield from _run(one)
            continue
        yield Scanned(f"{one['kind']}/{one['metadata']['name']}", one)
        if one["kind"] == "ConfigMap" and TEMPLATE in one["data"]:
            yield from _run(cast("Object", json.loads(one["data"][TEMPLATE])))


def _run(job: Object) -> Iterator[Scanned]:
    """The submitter of a run, and its cluster."""
    yield _pods(job, "submitter", job["spec"]["submitterPodTemplate"], {})
    yield from _cluster(job, job["spec"]["rayClusterSpec"])


def _cluster(owner: Object, cluster: Object) -> Iterator[Scanned]:
    head = cluster["headGroupSpec"]["template"]
    if cluster.get("enableInTreeAutoscaling"):
        head = _with_autoscaler(head, cluster["autoscalerOptions"])
    yield _pods(owner, "head", head, {"ray.io/node-type": "head"})
    for group in cluster["workerGroupSpecs"]:
        labels = {"ray.io/node-type": "worker", "ray.io/group": group["groupName"]}
        yield _pods(owner, f"worker-{group['groupName']}", group["template"], labels, group["minReplicas"])


def _with_autoscaler(head: Object, options: Object) -> Object:
    """The head as KubeRay makes it: the autoscaler runs beside Ray, from the same image."""
    spec = head["spec"]
    kept = ("env", "imagePullPolicy", "resources", "securityContext", "volumeMounts")
    sidecar = {"name": "autoscaler", "image": spec["containers"][0]["image"], **{key: options[key] for key in kept}}
    return {**head, "spec": {**spec, "containers": [*spec["containers"], sidecar]}}


def _pods(owner: Object, part: str, template: Object, labels: Object, replicas: int = 1) -> Scanned:
    """Servers stay and are replaced one by one, as Deployments are; Pods of runs end, as those of Jobs do."""
    metadata = owner["metadata"]
    labelled = {**template["metadata"]["labels"], **labels}
    pods: Object = {**template, "metadata": {**template["metadata"], "labels": labelled}}
    described = {**metadata, "name": f"{metadata['name']}.{part}"}
    spec: Object = {"template": pods}
    if owner["kind"] == "RayService":
        made = {"apiVersion": "apps/v1", "kind": "Deployment"}
        spec = {"replicas": replicas, "selector": {"matchLabels": labelled}, **spec}
    else:
        made = {"apiVersion": "batch/v1", "kind": "Job"}
        pods["spec"] = {"restartPolicy": "Never", **template["spec"]}
    return Scanned(f"{owner['kind']}/{metadata['name']}/{part}", {**made, "metadata": described, "spec": spec})
