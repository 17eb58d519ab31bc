"""Who may move an alias: of those with a login, the promoter and what rolls back, and administrators.

MLflow has one right for a model, which training needs to register versions, and which moves its aliases as well. The
server asks this module who a request is from (`authorization_function`), so that it can refuse what that right allows.
It also lets everybody make experiments, who then has every right to them: a workload that made the history of a model
before its promoter does could write what it likes there.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from typing import Any

from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.description import description
from modelyard_runtime.workload.records import RegistryWorkload

_OF_MOVERS = ("/mlflow/registered-models/alias", "/mlflow/registered-models/rename")
"""Under `/api/2.0` and `/ajax-api/2.0`. A model that is renamed takes its aliases along."""

_OF_NOBODY = ("/mlflow/experiments/create", "/mlflow/experiments/update")
"""What no workload asks for: the server makes their experiments, and an update renames one."""

WORKLOADS = "workload."
"""How the users of workloads begin."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = "Permission denied: aliases of this registry are moved by its promoter alone"
_NOT_MADE = "Permission denied: workloads neither make nor rename experiments of this registry"
_log = logging.getLogger(__name__)


def authenticate() -> Any:
    """The login of a request as MLflow knows it, or the answer that refuses it."""
    auth, flask = import_module("mlflow.server.auth"), import_module("flask")
    found = auth.authenticate_request_basic_auth()
    user = getattr(found, "username", None)
    why = "" if user is None else _refused(str(user), flask.request.path, flask.request.method)
    if not why or auth.store.get_user(user).is_admin:
        return found
    _log.warning("%s was refused to %s %s", user, flask.request.method, flask.request.path)
    return flask.make_response(why, 403)


def _refused(user: str, path: str, method: str) -> str:
    """Why a user may not do it unless it is an administrator; empty where MLflow's own rights decide."""
    path = path.rstrip("/")
    if method in _READING:
        return ""
    if path.endswith(_OF_NOBODY) and user.startswith(WORKLOADS):
        return _NOT_MADE
    return _REFUSED if path.endswith(_OF_MOVERS) and user not in _movers() else ""


@cache
def _movers() -> frozenset[str]:
    return frozenset(decode(RegistryWorkload, description()).server.movers)
