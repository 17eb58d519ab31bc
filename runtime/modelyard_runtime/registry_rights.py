"""Who may move an alias: of those with a login, the promoter and what rolls back, and administrators.

MLflow has one right for a model, which training needs to register versions, and which moves its aliases as well. The
server asks this module who a request is from (`authorization_function`), so that it can refuse what that right allows.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from modelyard_runtime.description import description, names, section

_OF_MOVERS = ("/mlflow/registered-models/alias", "/mlflow/registered-models/rename")
"""Under `/api/2.0` and `/ajax-api/2.0`. A model that is renamed takes its aliases along."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = "Permission denied: aliases of this registry are moved by its promoter alone"


def authenticate() -> Any:
    """The login of a request as MLflow knows it, or the answer that refuses it."""
    auth, flask = import_module("mlflow.server.auth"), import_module("flask")
    found = auth.authenticate_request_basic_auth()
    user = getattr(found, "username", None)
    if user is None or not _moves(flask.request.path, flask.request.method):
        return found
    if user in _movers() or auth.store.get_user(user).is_admin:
        return found
    return flask.make_response(_REFUSED, 403)


def _moves(path: str, method: str) -> bool:
    return method not in _READING and path.rstrip("/").endswith(_OF_MOVERS)


@cache
def _movers() -> frozenset[str]:
    return frozenset(names(section(description(), "server"), "movers"))
