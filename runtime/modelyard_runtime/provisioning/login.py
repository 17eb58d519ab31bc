"""`login`: an own login for the database that RDS runs, with a new password each time. Safe to run again.

The login of the master opens everything in an instance. This one owns its database and nothing else, and its password
is kept in a secret of its own: only this verb ever reads that of the master.
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
    """Where an instance of RDS is, and the secret that holds the login of its master."""

    host: str
    port: int
    master_secret: str


def run() -> int:
    """Make the login that the environment describes, or give it another password."""
    import boto3
    from pg8000.native import Connection

    identifier, database, kept = (
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
            connection, database, password, keep=lambda: manager.put_secret_value(SecretId=kept, SecretString=login)
        )
    _log.info("login %s of %s has a new password", database, identifier)
    return 0


def find_instance(client: Any, identifier: str) -> Instance:  # boto3 types its clients at run time
    """What RDS answers about an instance."""
    (instance,) = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    endpoint = instance["Endpoint"]
    return Instance(endpoint["Address"], endpoint["Port"], instance["MasterUserSecret"]["SecretArn"])


def ensure_login(connection: Connection, database: str) -> None:
    """A role that is called like its database, owns it and may neither make other roles nor other databases.

    Whoever owns a database may make tables in its schema `public` (PostgreSQL 15 and later), and nobody else connects.
    """
    from pg8000.native import identifier

    role = identifier(database)
    if not connection.run("SELECT 1 FROM pg_roles WHERE rolname = :name", name=database):
        connection.run(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
    connection.run(f"GRANT {role} TO CURRENT_USER")  # only a member may hand a database over
    connection.run(f"ALTER DATABASE {role} OWNER TO {role}")
    connection.run(f"REVOKE ALL ON DATABASE {role} FROM PUBLIC")


def change_password(connection: Connection, database: str, password: str, keep: Callable[[], object]) -> None:
    """Give the login another password, in one transaction with what keeps it: where that fails, the old one is valid.

    Only a commit that fails leaves a password that is kept and not valid; the Job runs again then.
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
