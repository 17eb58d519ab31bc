"""`login` creates a login for a database on RDS, with a new password each time. It is idempotent.

The master login has access to the whole instance, whereas this login owns only its database, and its password is stored
in a separate secret. No other verb reads the master's secret.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    from pg8000.native import Connection

_PASSWORD_BYTES = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Instance:
    """The address of an RDS instance, and the secret containing its master login."""

    host: str
    port: int
    master_secret: str


def run() -> int:
    """Create the login described by the environment, or change its password."""
    import boto3
    from pg8000.native import Connection

    identifier, database, login_secret = (
        _variable(name) for name in ("MODELYARD_INSTANCE", "MODELYARD_DATABASE", "MODELYARD_LOGIN_SECRET")
    )
    instance = find_instance(boto3.client("rds"), identifier)
    manager = boto3.client("secretsmanager")
    master = json.loads(manager.get_secret_value(SecretId=instance.master_secret)["SecretString"])
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    with Connection(
        master["username"],
        password=master["password"],
        host=instance.host,
        port=instance.port,
        database=database,
        ssl_context=True,
    ) as connection:
        ensure_login(connection, database)
        login = json.dumps({"username": database, "password": password})
        change_password(
            connection,
            database,
            password,
            keep=lambda: manager.put_secret_value(SecretId=login_secret, SecretString=login),
        )
    _log.info("login %s of %s has a new password", database, identifier)
    return 0


def find_instance(client: Any, identifier: str) -> Instance:  # boto3 creates client classes at run time
    """Look up an instance in RDS."""
    (instance,) = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    endpoint = instance["Endpoint"]
    return Instance(endpoint["Address"], endpoint["Port"], instance["MasterUserSecret"]["SecretArn"])


def ensure_login(connection: Connection, database: str) -> None:
    """Create a role that owns the database of the same name, and can't create roles or other databases.

    The owner of a database may create tables in its `public` schema (PostgreSQL 15 and later). No other role may
    connect.
    """
    from pg8000.native import identifier

    role = identifier(database)
    if not connection.run("SELECT 1 FROM pg_roles WHERE rolname = :name", name=database):
        connection.run(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
    connection.run(f"GRANT {role} TO CURRENT_USER")  # only a member may transfer ownership
    connection.run(f"ALTER DATABASE {role} OWNER TO {role}")
    connection.run(f"REVOKE ALL ON DATABASE {role} FROM PUBLIC")


def change_password(connection: Connection, database: str, password: str, keep: Callable[[], object]) -> None:
    """Change the login's password and store it in one transaction. If storing fails, the old password stays valid.

    Only a failed commit can result in a stored password that isn't valid, in which case the Job is retried.
    """
    from pg8000.native import identifier, literal

    connection.run("START TRANSACTION")
    try:
        connection.run(f"ALTER ROLE {identifier(database)} WITH PASSWORD {literal(password)}")
        keep()
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT")


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Refusal(f"{name} is not set")
    return value
