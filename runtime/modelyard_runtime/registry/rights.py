"""Restricts moving aliases to the promoter, workloads that roll back, and administrators.

MLflow has only one write permission per model. Training needs it to register versions, but it also allows moving
aliases. The server calls this module to authenticate requests (`authorization_function`), so the module can refuse some
requests that MLflow permits. MLflow also lets every user create experiments and gives the creator full permissions. A
workload that created a model's history before its promoter did could write anything to it.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from typing import Any

from modelyard_runtime.registry import azure_artifacts
from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.description import description
from modelyard_runtime.workload.records import RegistryWorkload

_OF_MOVERS = ("/mlflow/registered-models/alias", "/mlflow/registered-models/rename")
"""Paths under `/api/2.0` and `/ajax-api/2.0`. Renaming is included because a renamed model keeps its aliases."""

_OF_NOBODY = ("/mlflow/experiments/create", "/mlflow/experiments/update")
"""Endpoints that no workload needs, because the server creates the experiments and an update can rename one."""

WORKLOADS = "workload."
"""The prefix of workload user names."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = "Permission denied: only the promoter moves aliases in this registry"
_NOT_MADE = "Permission denied: workloads cannot create or rename experiments in this registry"
_log = logging.getLogger(__name__)


def authenticate() -> Any:
    """Return the user of an authenticated request as an MLflow object, or a response refusing the request."""
    azure_artifacts.register()  # each server process calls this function before it lists artifacts
    auth, flask = import_module("mlflow.server.auth"), import_module("flask")
    result = auth.authenticate_request_basic_auth()
    user = getattr(result, "username", None)
    reason = "" if user is None else _refused(str(user), flask.request.path, flask.request.method)
    if not reason or auth.store.get_user(user).is_admin:
        return result
    _log.warning("%s was denied %s %s", user, flask.request.method, flask.request.path)
    return flask.make_response(reason, 403)


def _refused(user: str, path: str, method: str) -> str:
    """Return why a non-administrator's request is refused, or "" if MLflow's own permissions apply."""
    path = path.rstrip("/")
    if method in _READING:
        return ""
    if path.endswith(_OF_NOBODY) and user.startswith(WORKLOADS):
        return _NOT_MADE
    return _REFUSED if path.endswith(_OF_MOVERS) and user not in _movers() else ""


@cache
def _movers() -> frozenset[str]:
    return frozenset(decode(RegistryWorkload, description()).server.movers)
