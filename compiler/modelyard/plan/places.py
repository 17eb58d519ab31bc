"""Determine where data is stored, how long it is retained, and what runs report."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from modelyard.spec import Capture, Pipeline, Registry, Store, System, TargetSpec

_DAY_S = 86400
_LOG_DAYS = 90
"""How long run logs are kept, in days, in buckets that modelyard creates."""


def bucket_expires(system: System, capture: Capture) -> bool:
    """Return whether a lifecycle rule expires the bucket's captures, as in every bucket modelyard creates."""
    return not system.stores[capture.store].adopt


def expiries(system: System, store: Store) -> dict[str, int]:
    """Map a bucket's folders of captures and logs to their lifetimes in days, rounded up.

    Only folders whose files the bucket deletes by age are included.
    """
    days: dict[str, int] = {}
    registry = system.registry
    if registry is not None and registry.artifacts == store.name and not store.adopt and system.pipelines:
        days[_logs_path(registry)] = _LOG_DAYS
    for inference in system.inference.values():
        capture = inference.capture
        if capture is not None and capture.store == store.name and capture.retain_s is not None and not store.adopt:
            retention_days = -(-capture.retain_s // _DAY_S)
            folder = capture.path.rstrip("/")
            days[folder] = min(retention_days, days.get(folder, retention_days))
    return days


def log_days(store: Store) -> int:
    """Return the age in days at which a bucket that modelyard creates deletes run logs: its retention, if shorter."""
    return _LOG_DAYS if store.retention_s is None else min(_LOG_DAYS, -(-store.retention_s // _DAY_S))


def model_path(artifact_path: str, registered_name: str) -> str:
    """Return a model's folder in the artifact store. Training runs write to it, and users of the model read it."""
    return f"{artifact_path.rstrip('/')}/models/{registered_name}/"


def reports_gate(pipeline: Pipeline, system: System) -> bool:
    """Return whether training runs report gate results, which alert the owner's on-call channel."""
    model = None if pipeline.model is None else system.models[pipeline.model.model]
    gate = (model is not None and (model.validation or model.stages)) or system.governance.approve_promotion is not None
    return pipeline.type == "training" and bool(gate) and bool(system.governance.owner.oncall)


def log_place(system: System, pipeline: Pipeline) -> tuple[str, str] | None:
    """Return where a pipeline's run logs are stored: a folder in the registry's artifact store.

    Returns None if the registry is adopted (its store is unknown) or runs on another target.
    """
    registry = system.registry
    if registry is None or registry.adopt or system.deployment.placement.registry != pipeline.target:
        return None
    return registry.artifacts, f"{_logs_path(registry)}/{pipeline.name}"


def _logs_path(registry: Registry) -> str:
    return f"{registry.artifact_path.rstrip('/')}/logs"


def bundle_path(artifact_path: str, registered_name: str, alias: str) -> str:
    """Return the folder in the artifact store that holds only the bundle for one alias of a model."""
    return f"{artifact_path.rstrip('/')}/bundles/{registered_name}/{alias}/"


def cluster_service(uri: str) -> tuple[str, str] | None:
    """Return the name and namespace of the Service in a URL: ("mlflow", "ml") for `mlflow.ml.svc.cluster.local`."""
    labels = host_of(uri).split(".")
    return (labels[0], labels[1]) if len(labels) >= 3 and labels[2] == "svc" else None


def is_cluster_local(host: str) -> bool:
    """Return whether a host name resolves only within one cluster: a Service's name, or a name without dots."""
    labels = host.rstrip(".").split(".")
    return (
        bool(host)
        and ":" not in host
        and (len(labels) == 1 or "svc" in labels[2:] or labels[-2:] == ["cluster", "local"])
    )


@lru_cache(maxsize=1024)
def host_of(uri: str) -> str:
    """Return the host in a URL, or "" if there is none."""
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:  # an incomplete IPv6 address, which is reported elsewhere
        return ""


def is_same_cluster(first: TargetSpec, second: TargetSpec) -> bool:
    """Return whether two targets, possibly in different environments, are on the same cluster.

    A target that creates its cluster shares it only with a target of the same name in the same location.
    """
    places = [(target.provider, target.region, target.context, target.cluster.adopt) for target in (first, second)]
    is_existing = bool(first.context or first.cluster.adopt)
    return places[0] == places[1] and (is_existing or first.name == second.name)
