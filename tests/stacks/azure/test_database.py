"""Tests that databases are private, encrypted and backed up, and have a login that is generated only once."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest

from modelyard_stacks.azure.database import Database, connections
from modelyard_stacks.azure.login import DatabaseLogin
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import DATABASE, IN_GROUP, NOTHING, elsewhere, registered_together

SERVER = "azure-native:dbforpostgresql:Server"
PARAMETER = "azure-native:dbforpostgresql:Configuration"
SECRET = "azure-native:keyvault:Secret"
STASH = "pulumi:index:Stash"
ENDPOINT = "azure-native:network:PrivateEndpoint"
WITH_OUTPUTS = f"""{DATABASE}
import pulumi

outputs = {{"host": database.host, "port": database.port, "connections": database.connections, "secret": login.secret}}
pulumi.ComponentResource("tiny:Names", "names", outputs)
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register databases with and without a standby, in a region without zones, and with a new password."""
    return registered_together(
        tmp_path_factory.mktemp("database"),
        {
            "large": (WITH_OUTPUTS, ""),
            "small": (DATABASE.replace("replicas=True", "replicas=False").replace("D2ds_v5", "B1ms"), ""),
            "zoneless": (DATABASE, "databaseZones: false"),
            "renewed": (DATABASE, "loginVersion: 2\nprotect: false"),
        },
    )


@pytest.fixture(scope="module")
def resources(programs: dict[str, Resources]) -> Resources:
    """Return the resources of the database with a standby."""
    return programs["large"]


@pytest.fixture(scope="module")
def server_inputs(resources: Resources) -> dict[str, Any]:
    """Return the server's inputs."""
    return inputs(resources, SERVER, "runs")


def secret_of(value: dict[str, Any]) -> str:
    """Return the text of a value that Pulumi keeps encrypted."""
    assert value["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
    text: str = json.loads(value["value"]) if value["value"].startswith('"') else value["value"]
    return text


def test_it_answers_inside_the_network_alone(resources: Resources, server_inputs: dict[str, Any]) -> None:
    endpoint = inputs(resources, ENDPOINT, "runs-database")

    assert server_inputs["network"] == {"publicNetworkAccess": "Disabled"}
    assert endpoint["privateLinkServiceConnections"] == [
        {
            "name": "postgresqlServer",
            "groupIds": ["postgresqlServer"],
            "privateLinkServiceId": f"{IN_GROUP}/Microsoft.DBforPostgreSQL/flexibleServers/fraud-runs-1a2b3c",
        }
    ]
    assert inputs(resources, "tiny:Names", "names") == {
        "host": "fraud-runs-1a2b3c.postgres.database.azure.com",
        "port": 5432,
        "connections": 858,
        "secret": "runs-login",
    }


def test_it_is_encrypted_with_the_newest_version_of_our_key(
    resources: Resources, server_inputs: dict[str, Any]
) -> None:
    identity = f"{IN_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/fraud-prod-main-data"

    assert server_inputs["dataEncryption"] == {
        "type": "AzureKeyVault",
        "primaryKeyURI": "https://fraud-prod-keys.vault.azure.net/keys/fraud-prod-main-data",
        "primaryUserAssignedIdentityId": identity,
    }
    assert server_inputs["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    assert "azure-native:authorization:RoleAssignment fraud-prod-main-data" in needs(resources, SERVER, "runs")


def test_a_standby_is_in_another_zone_where_there_are_zones(programs: dict[str, Resources]) -> None:
    modes = {name: inputs(each, SERVER, "runs")["highAvailability"]["mode"] for name, each in programs.items()}

    assert modes == {
        "large": "ZoneRedundant",
        "small": "Disabled",
        "zoneless": "SameZone",
        "renewed": "ZoneRedundant",
    }
    assert "highAvailability.standbyAvailabilityZone" in programs["large"][f"{SERVER} runs"]["ignoreChanges"]


def test_backups_are_kept_in_the_region(server_inputs: dict[str, Any]) -> None:
    assert server_inputs["backup"] == {"backupRetentionDays": 35, "geoRedundantBackup": "Disabled"}


def test_machine_and_storage_are_as_asked_for(programs: dict[str, Resources], server_inputs: dict[str, Any]) -> None:
    assert server_inputs["sku"] == {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"}
    assert server_inputs["storage"] == {"storageSizeGB": 128, "autoGrow": "Disabled"}
    assert server_inputs["version"] == "17"
    assert inputs(programs["small"], SERVER, "runs")["sku"] == {"name": "Standard_B1ms", "tier": "Burstable"}


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        ("Standard_B1ms", 50),
        ("Standard_B2s", 429),
        ("Standard_D2ds_v5", 858),  # 859; an alarm uses four fifths of them
        ("Standard_E4ds_v5", 3436),
        ("Standard_D64ds_v5", 5000),
    ],
)
def test_the_number_of_connections_follows_from_the_machine(machine: str, count: int) -> None:
    assert connections(machine) == count


def test_connections_and_locks_are_logged_one_parameter_after_the_other(resources: Resources) -> None:
    parameters = {name: each["inputs"] for name, each in of(resources, PARAMETER).items()}

    assert {each["configurationName"]: each["value"] for each in parameters.values()} == {
        "log_checkpoints": "on",
        "log_connections": "on",
        "log_disconnections": "on",
        "log_lock_waits": "on",
    }
    assert f"{PARAMETER} runs-log_checkpoints" in needs(resources, PARAMETER, "runs-log_connections")
    assert f"{PARAMETER} runs-log_lock_waits" in needs(resources, ENDPOINT, "runs-database")


def test_server_and_database_are_protected(programs: dict[str, Resources]) -> None:
    for kind in (SERVER, "azure-native:dbforpostgresql:Database"):
        assert programs["large"][f"{kind} runs"]["protect"]
        assert not programs["renewed"][f"{kind} runs"]["protect"]


def test_the_vault_has_the_password_of_the_server(resources: Resources, server_inputs: dict[str, Any]) -> None:
    login = json.loads(secret_of(inputs(resources, SECRET, "runs")["properties"]["value"]))

    assert login == {"username": "mlflow", "password": secret_of(server_inputs["administratorLoginPassword"])}
    assert re.fullmatch(r"[\w-]{43}", login["password"])
    assert server_inputs["administratorLogin"] == "mlflow"
    assert server_inputs["authConfig"]["passwordAuth"] == "Enabled"
    assert server_inputs["authConfig"]["activeDirectoryAuth"] == "Disabled"
    assert inputs(resources, SECRET, "runs")["vaultName"] == "fraud-pr-secrets"


def test_the_password_of_the_first_run_is_kept_until_a_setting_changes(programs: dict[str, Resources]) -> None:
    stash = programs["large"][f"{STASH} runs-1"]

    assert stash["ignoreChanges"] == ["input"]
    assert list(of(programs["renewed"], STASH)) == ["runs-2"]
    assert secret_of(stash["inputs"]["input"]) == secret_of(
        inputs(programs["large"], SERVER, "runs")["administratorLoginPassword"]
    )


@pytest.mark.parametrize("user", ["admin", "azure_superuser", "pg_mlflow", "azure_mlflow"])
def test_a_user_that_azure_keeps_for_itself_is_refused(user: str) -> None:
    with pytest.raises(pulumi.RunError, match=f"{user} is not a valid login name"):
        DatabaseLogin("runs", group=NOTHING, vault=NOTHING, user=user)


def new_database(server: str) -> Database:
    return Database(
        "runs",
        group=NOTHING,
        key=NOTHING,
        network=NOTHING,
        login=NOTHING,
        server=server,
        database="mlflow",
        storage_gib=32,
        machine="Standard_B1ms",
        version="17",
        replicas=False,
        backup_days=7,
    )


@pytest.mark.parametrize("server", ["Fraud", "fr", "-fraud", "f" * 64])
def test_a_name_that_azure_would_refuse_is_refused(server: str) -> None:
    with pytest.raises(pulumi.RunError, match="a name must have 3 to 63 lower-case letters, digits or hyphens"):
        new_database(server)


def test_a_machine_that_no_server_has_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="is not a machine for database servers, such as Standard_D2ds_v5"):
        connections("Standard_NC4as_T4_v3")


def test_everything_belongs_to_the_subscription(resources: Resources) -> None:
    assert not elsewhere(resources)
