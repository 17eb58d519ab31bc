"""Where in the stores things lie, how long they are kept, and what runs report of themselves."""

from __future__ import annotations

from urllib.parse import urlsplit

from modelyard.spec import Capture, Pipeline, Registry, Store, System

_DAY_S = 86400
LOG_DAYS = 90
"""After which a bucket of the system deletes the logs of runs."""


def bucket_expires(system: System, capture: Capture) -> bool:
    """Whether a rule of the bucket deletes captures by their age, so that no workload has to: in each one made here."""
    return not system.stores[capture.store].adopt


def expiries(system: System, store: Store) -> dict[str, int]:
    """The captures and logs that a bucket deletes by itself: days by folder, in whole days and never too few."""
    days: dict[str, int] = {}
    registry = system.registry
    if registry is not None and registry.artifacts == store.name and not store.adopt and system.pipelines:
        days[_logs_path(registry)] = LOG_DAYS
    for inference in system.inference.values():
        capture = inference.capture
        if capture is not None and capture.store == store.name and capture.retain_s is not None and not store.adopt:
            kept = -(-capture.retain_s // _DAY_S)
            folder = capture.path.rstrip("/")
            days[folder] = min(kept, days.get(folder, kept))
    return days


def model_path(artifact_path: str, registered_name: str) -> str:
    """The folder of a model in the store of artifacts: its runs write there, and those that use it read there."""
    return f"{artifact_path.rstrip('/')}/models/{registered_name}/"


def reports_gate(pipeline: Pipeline, system: System) -> bool:
    """Whether it is reported what the gate made of a training's versions: alerts go to the owner's on-call channel."""
    model = None if pipeline.model is None else system.models[pipeline.model.model]
    gate = (model is not None and (model.validation or model.stages)) or system.governance.approve_promotion is not None
    return pipeline.type == "training" and bool(gate) and bool(system.governance.owner.oncall)


def log_place(system: System, pipeline: Pipeline) -> tuple[str, str] | None:
    """Where the logs of a pipeline's runs are kept: the store of the registry's artifacts, and a folder in it.

    None where the registry is adopted, whose store is not known here, or runs on another target.
    """
    registry = system.registry
    if registry is None or registry.adopt or system.deployment.placement.registry != pipeline.target:
        return None
    return registry.artifacts, f"{_logs_path(registry)}/{pipeline.name}"


def _logs_path(registry: Registry) -> str:
    return f"{registry.artifact_path.rstrip('/')}/logs"


def bundle_path(artifact_path: str, registered_name: str, alias: str) -> str:
    """Where the bundle of a model lies in the store of artifacts; nothing else is below it."""
    return f"{artifact_path.rstrip('/')}/bundles/{registered_name}/{alias}/"


def cluster_service(uri: str) -> tuple[str, str] | None:
    """Name and namespace of a Service, where a URL's host is one: `mlflow.ml.svc.cluster.local` is ("mlflow", "ml")."""
    try:
        labels = (urlsplit(uri).hostname or "").split(".")
    except ValueError:  # half an IPv6 address: whoever opens the URL says so
        return None
    return (labels[0], labels[1]) if len(labels) >= 3 and labels[2] == "svc" else None
