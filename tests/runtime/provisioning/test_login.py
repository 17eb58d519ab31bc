"""Tests a database login's permissions and password rotation on a real PostgreSQL server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from modelyard_runtime.provisioning import login
from modelyard_runtime.provisioning.login import Instance, change_password, ensure_login, find_instance

MASTER = "dbadmin"
IDENTIFIER = "fraud-main-registry-db"
DATABASE = "registry_db"


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL server set up like RDS.

    The master user is not a superuser, and each role has a password and a database.
    """
    # only its owner can read pytest's folder, and PostgreSQL does not run as root
    with tempfile.TemporaryDirectory(prefix="postgresql-") as data, pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # an import requires it
        from pgserver.postgres_server import get_server

        server = get_server(data, cleanup_mode="stop")
        folder = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
        server.psql(f"CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE PASSWORD 'first'")
        server.psql(f"CREATE DATABASE {DATABASE} OWNER {MASTER}")
        server.psql(f"CREATE DATABASE other OWNER {MASTER}")
        server.psql("REVOKE CONNECT ON DATABASE other FROM PUBLIC")
        rules = Path(folder) / "pg_hba.conf"
        rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        server.psql("SELECT pg_reload_conf()")
        yield f"{folder}/.s.PGSQL.5432"
        server.cleanup()


def connected(socket: str, user: str, password: str, database: str = DATABASE) -> Connection:
    return Connection(user, unix_sock=socket, password=password, database=database)


def assert_refused(socket: str, user: str, password: str, database: str = DATABASE) -> None:
    """Assert that a database login is refused. The server may close the connection before its response is read."""
    with pytest.raises(
        (DatabaseError, InterfaceError), match=r"password authentication failed|permission denied for|network error"
    ):
        connected(socket, user, password, database)


def test_login_can_access_only_its_own_database(socket: str) -> None:
    """The login can create tables, but cannot read other databases or create roles or databases."""
    with connected(socket, MASTER, "first") as master:
        ensure_login(master, DATABASE)
        change_password(master, DATABASE, "own", keep=_do_nothing)

    with connected(socket, DATABASE, "own") as own:
        own.run("CREATE TABLE runs (id int)")
        for refused in ("CREATE ROLE more", "CREATE DATABASE more", f"ALTER ROLE {MASTER} PASSWORD 'x'"):
            with pytest.raises(DatabaseError, match="permission denied"):
                own.run(refused)
        assert own.run("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user") == [
            [False, False, False]
        ]
        assert own.run("SELECT pg_has_role(current_user, :master, 'member')", master=MASTER) == [[False]]
    assert_refused(socket, DATABASE, "own", "other")


def test_second_run_changes_only_the_password(socket: str) -> None:
    """A second run changes only the password, which may contain quotes. Other roles cannot connect to the database."""
    with connected(socket, MASTER, "first") as master:
        for password in ("own", "it's new"):
            ensure_login(master, DATABASE)
            change_password(master, DATABASE, password, keep=_do_nothing)
        if not master.run("SELECT 1 FROM pg_roles WHERE rolname = 'stranger'"):
            master.run("CREATE ROLE stranger LOGIN PASSWORD 'own'")

    with connected(socket, DATABASE, "it's new") as own:
        assert own.run("SELECT current_user") == [[DATABASE]]
    assert_refused(socket, DATABASE, "own")
    assert_refused(socket, "stranger", "own")


def test_password_is_unchanged_if_the_new_one_cannot_be_stored(socket: str) -> None:
    """If a new password cannot be stored, the old one stays valid, so MLflow can still log in."""
    with connected(socket, MASTER, "first") as master:
        ensure_login(master, DATABASE)
        change_password(master, DATABASE, "in use", keep=_do_nothing)
        with pytest.raises(TimeoutError, match="Secrets Manager"):
            change_password(master, DATABASE, "lost", keep=_unreachable)
        connected(socket, DATABASE, "in use").close()
        assert_refused(socket, DATABASE, "lost")

        change_password(master, DATABASE, "next", keep=_do_nothing)
        connected(socket, DATABASE, "next").close()


def test_old_password_is_valid_until_the_new_one_is_stored(socket: str) -> None:
    with connected(socket, MASTER, "first") as master:
        ensure_login(master, DATABASE)
        change_password(master, DATABASE, "before", keep=_do_nothing)
        change_password(master, DATABASE, "after", keep=lambda: connected(socket, DATABASE, "before").close())
    connected(socket, DATABASE, "after").close()


def _do_nothing() -> None:
    """Do nothing, because the test doesn't check how passwords are stored."""


def _unreachable() -> None:
    raise TimeoutError("Secrets Manager does not answer")


class Account:
    """The parts of RDS and Secrets Manager that the command uses."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {"rds!db": '{"username": "dbadmin", "password": "first"}'}

    def describe_db_instances(self, DBInstanceIdentifier: str) -> Any:  # noqa: N803  # botocore's own spelling
        assert DBInstanceIdentifier == IDENTIFIER
        endpoint = {"Address": "db.internal", "Port": 5432}
        return {"DBInstances": [{"Endpoint": endpoint, "MasterUserSecret": {"SecretArn": "rds!db"}}]}


def test_instance_is_found_by_name() -> None:
    assert find_instance(Account(), IDENTIFIER) == Instance("db.internal", 5432, "rds!db")


def test_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELYARD_INSTANCE", raising=False)

    with pytest.raises(login.Refusal, match="MODELYARD_INSTANCE is not set"):
        login.run()
