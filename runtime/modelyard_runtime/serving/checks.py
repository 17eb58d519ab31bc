"""Checks whether this runtime supports the description of a model server."""

from __future__ import annotations

from modelyard_runtime.capabilities import TEXT, known_metrics
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Auth, ServerWorkload, Workload


def check_server(workload: Workload) -> ServerWorkload:
    """Return the server, refusing it if this runtime doesn't support everything it requires."""
    if not isinstance(workload, ServerWorkload):
        raise Refusal(f"applications are only for servers, but this workload is of type {workload.type}")
    applications = workload.applications
    if not applications:
        raise Refusal("a server has no application")
    for name, application in applications.items():
        task = application.model.task
        if not known_metrics(task):
            raise Refusal(f"application {name!r}: {task!r} is not a model task")
        if (task == TEXT) != (application.generation is not None):
            raise Refusal(f"application {name!r}: settings for generation belong to the task {TEXT!r}")
        if application.auth is not None:
            check_auth(application.auth)
    return workload


def check_auth(auth: Auth) -> None:
    """Refuse an authentication type that this runtime does not support."""
    if auth.type != "bearer-token":
        raise Refusal(f"authentication of type {auth.type!r} is not supported; only bearer-token is")
