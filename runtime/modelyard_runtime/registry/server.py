"""`registry` runs MLflow with users and permissions. Only its health check works without a login.

Users and permissions are written to MLflow's own database before the server starts, so no administrator credentials are
sent over the network, and a restarted server has the same users. The image pins MLflow because this module uses MLflow
internals.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry.rights import WORKLOADS
from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.description import description
from modelyard_runtime.workload.records import RegistryWorkload, Server

DATABASE = "postgresql+psycopg2://"
"""The database URL. Connection settings are in libpq's variables (PGHOST, PGSERVICE …). The driver is psycopg2."""

LOGINS = Path("/etc/modelyard-logins")
_SETTINGS = Path("/tmp/basic-auth.ini")
_MAY_CHANGE = "EDIT"
_EVERYONE = "READ"
_TRUSTED_S = 30
"""The seconds for which a verified password is cached. Without a cache, MLflow hashes it several times per request."""

_log = logging.getLogger(__name__)


def run() -> int:
    """Prepare the database and replace this process with the server. Returns only on failure."""
    server = decode(RegistryWorkload, description()).server
    database = os.environ.get("MODELYARD_DATABASE", DATABASE)
    settings(database)
    prepare(server, database)
    command = command_of(server, database)
    os.execvp(command[0], command)


def command_of(server: Server, database: str) -> list[str]:
    """Return the server's command line. Workloads access artifacts directly using their own permissions."""
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--app-name=basic-auth",
        f"--host={server.host}",
        f"--port={server.port}",
        f"--workers={server.workers}",
        f"--allowed-hosts={','.join(server.allowed_hosts)}",
        f"--backend-store-uri={database}",
        f"--default-artifact-root={server.artifacts}",
        "--no-serve-artifacts",
    ]


def settings(database: str) -> None:
    """Write MLflow's authentication settings, which make users read-only by default.

    MLflow reads the administrator's name and password from environment variables.
    """
    path = Path(os.environ.setdefault("MLFLOW_AUTH_CONFIG_PATH", str(_SETTINGS)))
    path.write_text(
        f"[mlflow]\ndefault_permission = {_EVERYONE}\ndatabase_uri = {database}\n"
        f"auth_cache_ttl_seconds = {_TRUSTED_S}\n"
        "authorization_function = modelyard_runtime.registry.rights:authenticate\n",
        encoding="utf-8",
    )


def prepare(server: Server, database: str) -> None:
    """Create the experiments and models of workloads, and a user with permissions for each workload."""
    experiments = _tables(server, database)
    users: Any = import_module("mlflow.server.auth.sqlalchemy_store").SqlAlchemyStore()
    users.init_db(database)
    described = server.users
    for name, rights in described.items():
        _login(users, name, _password(name))
        experiment_ids = {experiments[path] for path in rights.experiments}
        _rights(users, name, "experiment", experiment_ids, set(experiments.values()))
        _rights(users, name, "registered_model", set(rights.models), set(server.models))
    for user in users.list_users():
        if user.username.startswith(WORKLOADS) and user.username not in described:
            users.delete_user(user.username)
            _log.info("removed the user %s", user.username)


def _tables(server: Server, database: str) -> dict[str, str]:
    """Migrate MLflow's tables, create the described experiments and models, and return experiment IDs by name.

    Experiments and models are created here because MLflow gives their creator all permissions.
    """
    from mlflow.exceptions import MlflowException

    tables = import_module("mlflow.store.db.utils")
    engine = tables.create_sqlalchemy_engine_with_retry(database)
    if not tables._is_empty_database(engine):
        tables._upgrade_db(engine)
    engine.dispose()
    experiments = import_module("mlflow.store.tracking.sqlalchemy_store").SqlAlchemyStore(database, server.artifacts)
    models = import_module("mlflow.store.model_registry.sqlalchemy_store").SqlAlchemyStore(database)
    ids: dict[str, str] = {}
    for name, location in server.experiments.items():
        experiment = experiments.get_experiment_by_name(name)
        ids[name] = str(experiment.experiment_id if experiment else experiments.create_experiment(name, str(location)))
    for name in server.models:
        try:
            models.create_registered_model(name)
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
    return ids


def _rights(users: Any, name: str, kind: str, targets: set[str], described: set[str]) -> None:
    """Set which objects a user may change, ignoring objects that the user created but that aren't described."""
    list_permissions = (
        users.list_experiment_permissions if kind == "experiment" else users.list_registered_model_permissions
    )
    field = "experiment_id" if kind == "experiment" else "name"
    permissions = {getattr(entry, field): entry.permission for entry in list_permissions(name)}
    editable = {resource for resource, permission in permissions.items() if permission == _MAY_CHANGE}
    extra = {
        resource for resource, permission in permissions.items() if resource in described and permission != _MAY_CHANGE
    }
    for revoked in sorted(editable - targets | extra):
        users.revoke_user_resource_permission(name, kind, revoked)
    for granted in sorted(targets - editable):
        users.grant_user_permission(name, kind, granted, _MAY_CHANGE)


def _login(users: Any, name: str, password: str) -> None:
    if users.has_user(name):
        users.update_user(name, password=password)
    else:
        users.create_user(name, password)


def _password(name: str) -> str:
    path = Path(os.environ.get("MODELYARD_LOGINS", LOGINS)) / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise Refusal(f"the password of {name} cannot be read at {path}: {problem.strerror}") from None
