"""Converts the Pods in Ray's custom resources to built-in workloads that scanners understand.

Scanners look for Pods in Deployments, Jobs and CronJobs. A RayService's Pods become Deployments and a RayJob's Pods
become Jobs. They get the labels and the sidecar that KubeRay adds, so selectors match as they would in a cluster. A
run's template is read from its launcher's ConfigMap.
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
    """An object to scan. `address` identifies the emitted object, such as `RayService/scorer/head`."""

    address: str
    manifest: Object

    @property
    def name(self) -> str:
        """Return the name of the object that scanners see."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Return the namespace, or an empty string."""
        return str(self.manifest["metadata"].get("namespace", ""))


def scanned(objects: Iterable[Object]) -> Iterator[Scanned]:
    """Yield the objects to scan, splitting Ray's custom resources into built-in workloads."""
    for obj in objects:
        if obj["kind"] == "RayService":
            yield from _cluster(obj, obj["spec"]["rayClusterConfig"])
            continue
        if obj["kind"] == "RayJob":
            yield from _run(obj)
            continue
        yield Scanned(f"{obj['kind']}/{obj['metadata']['name']}", obj)
        if obj["kind"] == "ConfigMap" and TEMPLATE in obj["data"]:
            yield from _run(cast("Object", json.loads(obj["data"][TEMPLATE])))


def _run(job: Object) -> Iterator[Scanned]:
    """Yield the submitter and the Ray cluster of a pipeline run."""
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
    """Return the head Pod as KubeRay creates it, with an autoscaler sidecar that uses the same image."""
    spec = head["spec"]
    keys = ("env", "imagePullPolicy", "resources", "securityContext", "volumeMounts")
    sidecar = {"name": "autoscaler", "image": spec["containers"][0]["image"], **{key: options[key] for key in keys}}
    return {**head, "spec": {**spec, "containers": [*spec["containers"], sidecar]}}


def _pods(owner: Object, part: str, template: Object, labels: Object, replicas: int = 1) -> Scanned:
    """Wrap Pods in a Deployment if they belong to a RayService, or in a Job if they belong to a run."""
    metadata = owner["metadata"]
    labelled = {**template["metadata"]["labels"], **labels}
    pods: Object = {**template, "metadata": {**template["metadata"], "labels": labelled}}
    described = {**metadata, "name": f"{metadata['name']}.{part}"}
    spec: Object = {"template": pods}
    if owner["kind"] == "RayService":
        type_meta = {"apiVersion": "apps/v1", "kind": "Deployment"}
        spec = {"replicas": replicas, "selector": {"matchLabels": labelled}, **spec}
    else:
        type_meta = {"apiVersion": "batch/v1", "kind": "Job"}
        pods["spec"] = {"restartPolicy": "Never", **template["spec"]}
    return Scanned(f"{owner['kind']}/{metadata['name']}/{part}", {**type_meta, "metadata": described, "spec": spec})
