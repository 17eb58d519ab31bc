"""Tests that databases are private, encrypted and backed up, and who can see their login."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import DATABASE, elsewhere, registered
from tests.stacks.programs import Refused

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
USER = "gcp:sql/user:User"
SECRET = "gcp:secretmanager/secret:Secret"  # the name of a type, not a secret
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
ADDRESS = "gcp:compute/address:Address"
ENDPOINT = "gcp:compute/forwardingRule:ForwardingRule"
KEY_NAME = "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main/cryptoKeys/fraud-prod-main"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember fraud-prod-main"
IS_SECRET = "4dabf18193072939515e22adb298388d"  # the protocol's marker of a secret
PROGRAM = f"""{DATABASE}
import pulumi
from modelyard_stacks.gcp.login import DatabaseLogin

login = DatabaseLogin("runs", project=project, key=key, database=database)
pulumi.ComponentResource("tiny:Names", "names", {{
    "host": database.host,
    "authority": database.authority,
    "port": database.port,
    "connections": database.connections,
    "secret": login.secret,
}})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register one database with its login."""
    return registered(tmp_path_factory.mktemp("database"), PROGRAM)


@pytest.fixture(scope="module")
def settings(resources: Resources) -> dict[str, Any]:
    """Return the settings of the database instance."""
    instance_settings: dict[str, Any] = inputs(resources, INSTANCE, "runs")["settings"]
    return instance_settings


def test_everything_at_rest_is_encrypted_with_our_key(resources: Resources) -> None:
    replica = inputs(resources, SECRET, "runs")["replication"]["userManaged"]["replicas"][0]

    assert inputs(resources, INSTANCE, "runs")["encryptionKeyName"] == KEY_NAME
    assert replica == {"location": "europe-west4", "customerManagedEncryption": {"kmsKeyName": KEY_NAME}}
    assert f"{GRANT}-sqladmin" in needs(resources, INSTANCE, "runs")
    assert f"{GRANT}-secretmanager" in needs(resources, SECRET, "runs")
    assert not elsewhere(resources)


def test_only_the_network_can_connect_and_only_with_tls(resources: Resources, settings: dict[str, Any]) -> None:
    assert settings["ipConfiguration"] == {
        "ipv4Enabled": False,
        "sslMode": "ENCRYPTED_ONLY",
        "serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA",
        "pscConfigs": [{"pscEnabled": True, "allowedConsumerProjects": ["acme-ml"]}],
    }
    assert inputs(resources, ADDRESS, "runs")["addressType"] == "INTERNAL"
    assert inputs(resources, ADDRESS, "runs")["subnetwork"].endswith(
        "/regions/europe-west4/subnetworks/fraud-prod-main"
    )
    endpoint = inputs(resources, ENDPOINT, "runs")
    assert endpoint["target"] == "projects/p-tp/regions/europe-west4/serviceAttachments/a-psc"
    assert endpoint["loadBalancingScheme"] == ""
    assert endpoint["ipAddress"].endswith("/projects/acme-ml/regions/europe-west4/addresses/runs")


def test_database_has_an_address_in_the_network(resources: Resources) -> None:
    assert inputs(resources, "tiny:Names", "names") == {
        "host": "10.0.0.5",
        "authority": "the first authority\nthe next authority\n",
        "port": 5432,
        "connections": 400,
        "secret": "runs-login",
    }


def test_the_instance_name_is_not_fixed(resources: Resources) -> None:
    """The instance has no fixed name, because Google reserves a deleted instance's name for a week."""
    assert "name" not in inputs(resources, INSTANCE, "runs")
    database = inputs(resources, "gcp:sql/database:Database", "runs")
    assert (database["instance"], database["name"]) == ("runs", "mlflow")


def test_data_are_kept_when_the_database_is_deleted(resources: Resources, settings: dict[str, Any]) -> None:
    """The instance is protected and backed up, and the database is dropped only along with the instance."""
    backups = settings["backupConfiguration"]

    assert inputs(resources, "gcp:sql/database:Database", "runs")["deletionPolicy"] == "ABANDON"
    assert resources[f"{INSTANCE} runs"]["protect"]
    assert inputs(resources, INSTANCE, "runs")["deletionProtection"] is True
    assert settings["deletionProtectionEnabled"] is True
    assert settings["finalBackupConfig"] == {"enabled": True, "retentionDays": 35}
    assert settings["retainBackupsOnDelete"] is True
    assert settings["availabilityType"] == "REGIONAL"
    assert backups["location"] == "europe-west4"
    assert backups["backupRetentionSettings"] == {"retainedBackups": 35, "retentionUnit": "COUNT"}
    assert backups["pointInTimeRecoveryEnabled"] is True
    assert backups["transactionLogRetentionDays"] == 7  # the maximum for this edition


def test_disk_and_machine_follow_the_spec(resources: Resources, settings: dict[str, Any]) -> None:
    assert inputs(resources, INSTANCE, "runs")["databaseVersion"] == "POSTGRES_17"
    assert (settings["tier"], settings["edition"]) == ("db-custom-2-8192", "ENTERPRISE")
    assert (settings["diskSize"], settings["diskAutoresize"]) == (100, False)
    assert settings["userLabels"] == {"modelyard-system": "fraud"}


def test_login_is_stored_only_in_the_secret(resources: Resources) -> None:
    secret, password = inputs(resources, VERSION, "runs-1")["secretData"], inputs(resources, USER, "runs")["password"]
    login = json.loads(secret["value"])

    assert IS_SECRET in secret
    assert IS_SECRET in password
    assert login == {"username": "mlflow", "password": password["value"]}
    assert re.fullmatch(r"[\w-]{43}", login["password"])
    assert inputs(resources, USER, "runs")["name"] == "mlflow"


def test_the_password_changes_only_with_its_setting(resources: Resources, tmp_path: Path) -> None:
    """The user's password is read from the secret version, so they match even after an interruption."""
    later = registered(tmp_path, PROGRAM, "loginVersion: 2")

    assert resources[f"{VERSION} runs-1"]["ignoreChanges"] == ["secretData"]
    assert f"{VERSION} runs-1" in needs(resources, USER, "runs")
    assert list(of(later, VERSION)) == ["runs-2"]
    assert list(of(later, USER)) == ["runs"]
    assert inputs(later, VERSION, "runs-2")["secretData"] != inputs(resources, VERSION, "runs-1")["secretData"]


def test_two_databases_have_different_passwords(resources: Resources, tmp_path: Path) -> None:
    other = registered(tmp_path, PROGRAM)

    assert inputs(other, VERSION, "runs-1")["secretData"] != inputs(resources, VERSION, "runs-1")["secretData"]


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    resources = registered(tmp_path, PROGRAM, settings="protect: false")

    assert inputs(resources, INSTANCE, "runs")["deletionProtection"] is False
    assert inputs(resources, INSTANCE, "runs")["settings"]["deletionProtectionEnabled"] is False
    assert not resources[f"{INSTANCE} runs"]["protect"]
    assert inputs(resources, INSTANCE, "runs")["settings"]["finalBackupConfig"]["enabled"] is True


@pytest.mark.parametrize("machine", ["db-n1-standard-2", "db-custom-2", "e2-standard-4"])
def test_a_machine_of_unknown_memory_is_refused(machine: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the memory of this machine is unknown"):
        registered(tmp_path, PROGRAM.replace("db-custom-2-8192", machine))
