"""Waits until every server behind an endpoint has loaded a version."""

from __future__ import annotations

from modelyard_runtime.local import calling
from modelyard_runtime.local.placed import Placed
from modelyard_runtime.local.plan import Endpoint
from modelyard_runtime.models.loading import asked_version
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import ServerWorkload, workload_of

LOAD_S = 300.0
"""For a version in the registry. On a busy machine, a server takes minutes to import a model's libraries."""

ALIAS_S = 60.0
"""For a version that is not in the registry yet."""


def await_versions(endpoint: Endpoint, serve_port: int, placed: Placed) -> str:
    """Wait until every application that receives traffic is ready. Returns "" on success, or else the first problem.

    Applications are queried directly, because the router could forward a request to any of them.
    """
    for backend in endpoint.backends:
        if not backend.weight:
            continue
        application = backend.application
        patience_s = LOAD_S if has_version(application, placed) else ALIAS_S
        problem = calling.Endpoint(application, "/", serve_port, None).await_ready(patience_s)
        if problem:
            return f"{application}, which gets {backend.weight} percent of the requests: {problem}"
    return ""


def has_version(application: str, placed: Placed) -> bool:
    """Return whether the registry has a version that an application serves, or cannot be asked."""
    from mlflow.exceptions import MlflowException

    for content in placed.contents.values():
        if application not in content.get("applications", {}):
            continue
        workload = workload_of(content)
        assert isinstance(workload, ServerWorkload)
        registry.connect(workload)
        try:
            served = workload.applications[application]
            stand_in = [] if served.stand_in is None else [served.stand_in.model]
            return any(asked_version(model) is not None for model in (served.model, *stand_in))
        except MlflowException:  # a server may still have the version that it kept
            return True
    return False
