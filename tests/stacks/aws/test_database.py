"""Tests that databases are private, encrypted and backed up, and that the program contains no passwords."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, elsewhere, inputs, needs, of, registered
from tests.stacks.programs import Refused

INSTANCE = "aws:rds/instance:Instance"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
KEY_ARN = "arn:aws:kms:::Key/fraud-prod-main"
PROGRAM = f"""{CLUSTER}
import pulumi
from modelyard_stacks.aws.database import Database

database = Database(
    "registry-db",
    account=account,
    key=key,
    network=network,
    cluster=cluster,
    database="mlflow",
    storage_gib=100,
    machine="db.m7g.large",
    version="17",
    replicas=True,
    backup_days=35,
)
pulumi.ComponentResource("tiny:Names", "names", {{
    "host": database.host,
    "port": database.port,
    "secret": database.secret_arn,
    "connections": database.connections,
}})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register one database."""
    return registered(tmp_path_factory.mktemp("database"), PROGRAM)


def test_everything_at_rest_is_encrypted_with_our_key(resources: Resources) -> None:
    database = inputs(resources, INSTANCE, "registry-db")

    assert database["storageEncrypted"] is True
    assert (
        database["kmsKeyId"]
        == database["performanceInsightsKmsKeyId"]
        == database["masterUserSecretKmsKeyId"]
        == KEY_ARN
    )
    assert not elsewhere(resources)


def test_program_and_state_contain_no_password(resources: Resources) -> None:
    database = inputs(resources, INSTANCE, "registry-db")

    assert database["manageMasterUserPassword"] is True
    assert database["iamDatabaseAuthenticationEnabled"] is True  # other users can connect without a password
    assert not {"password", "passwordWo"} & set(database)
    assert resources["tiny:Names names"]["inputs"] == {
        "host": "database.rds.example",
        "port": 5432,
        "secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef",
        "connections": 901,
    }


def test_only_the_cluster_can_connect_and_only_with_tls(resources: Resources) -> None:
    group = inputs(resources, "aws:ec2/securityGroup:SecurityGroup", "registry-db")
    rules = {
        name: each["inputs"]
        for name, each in of(resources, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").items()
        if each["inputs"]["securityGroupId"] == "registry-db"
    }
    parameters = inputs(resources, "aws:rds/parameterGroup:ParameterGroup", "registry-db")

    assert inputs(resources, INSTANCE, "registry-db")["publiclyAccessible"] is False
    assert inputs(resources, INSTANCE, "registry-db")["vpcSecurityGroupIds"] == ["registry-db"]
    assert not {"ingress", "egress"} & set(group)
    assert rules == {
        "registry-db": {
            "securityGroupId": "registry-db",
            "referencedSecurityGroupId": "sg-cluster",
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "description": "from the cluster",
        }
    }
    assert parameters["family"] == "postgres17"
    assert {each["name"]: each["value"] for each in parameters["parameters"]}["rds.force_ssl"] == "1"


def test_database_is_in_the_private_subnets(resources: Resources) -> None:
    subnets = inputs(resources, "aws:rds/subnetGroup:SubnetGroup", "registry-db")["subnetIds"]

    assert len(subnets) == 3
    assert inputs(resources, INSTANCE, "registry-db")["dbSubnetGroupName"] == "registry-db"


def test_data_is_kept_when_the_database_is_deleted(resources: Resources) -> None:
    database = inputs(resources, INSTANCE, "registry-db")

    assert resources[f"{INSTANCE} registry-db"]["protect"]
    assert database["deletionProtection"] is True
    assert database["skipFinalSnapshot"] is False
    assert database["finalSnapshotIdentifier"] == "registry-db-final"
    assert database["deleteAutomatedBackups"] is False
    assert database["backupRetentionPeriod"] == 35
    assert database["copyTagsToSnapshot"] is True
    assert database["multiAz"] is True


def test_logs_are_encrypted_and_have_limited_retention(resources: Resources) -> None:
    for log in ("postgresql", "upgrade"):
        log_group = inputs(resources, LOG_GROUP, f"registry-db-{log}")
        assert log_group["name"] == f"/aws/rds/instance/fraud-prod-main-registry-db/{log}"
        assert log_group["kmsKeyId"] == KEY_ARN
        assert log_group["retentionInDays"] == 90
        assert f"{LOG_GROUP} registry-db-{log}" in needs(resources, INSTANCE, "registry-db")
    assert inputs(resources, INSTANCE, "registry-db")["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    resources = registered(tmp_path, PROGRAM, settings="protect: false")

    assert inputs(resources, INSTANCE, "registry-db")["deletionProtection"] is False
    assert not resources[f"{INSTANCE} registry-db"]["protect"]
    assert inputs(resources, INSTANCE, "registry-db")["skipFinalSnapshot"] is False


@pytest.mark.parametrize("machine", ["db.q9.large", "db.m7g.gigantic", "large"])
def test_instance_class_of_unknown_memory_is_refused(machine: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the memory of this machine is unknown"):
        registered(tmp_path, PROGRAM.replace("db.m7g.large", machine))
