"""Tests that databases are private, encrypted and backed up, and that no password is in the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Found, elsewhere, inputs, needs, of, registered
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
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Register one database."""
    return registered(tmp_path_factory.mktemp("database"), PROGRAM)


def test_everything_at_rest_is_encrypted_with_our_key(found: Found) -> None:
    given = inputs(found, INSTANCE, "registry-db")

    assert given["storageEncrypted"] is True
    assert given["kmsKeyId"] == given["performanceInsightsKmsKeyId"] == given["masterUserSecretKmsKeyId"] == KEY_ARN
    assert not elsewhere(found)


def test_program_and_state_contain_no_password(found: Found) -> None:
    given = inputs(found, INSTANCE, "registry-db")

    assert given["manageMasterUserPassword"] is True
    assert given["iamDatabaseAuthenticationEnabled"] is True  # other users can connect without a password
    assert not {"password", "passwordWo"} & set(given)
    assert found["tiny:Names names"]["inputs"] == {
        "host": "database.rds.example",
        "port": 5432,
        "secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef",
        "connections": 901,
    }


def test_only_the_cluster_can_connect_and_only_with_tls(found: Found) -> None:
    group = inputs(found, "aws:ec2/securityGroup:SecurityGroup", "registry-db")
    rules = {
        name: each["inputs"]
        for name, each in of(found, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").items()
        if each["inputs"]["securityGroupId"] == "registry-db"
    }
    parameters = inputs(found, "aws:rds/parameterGroup:ParameterGroup", "registry-db")

    assert inputs(found, INSTANCE, "registry-db")["publiclyAccessible"] is False
    assert inputs(found, INSTANCE, "registry-db")["vpcSecurityGroupIds"] == ["registry-db"]
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


def test_database_is_in_the_private_subnets(found: Found) -> None:
    subnets = inputs(found, "aws:rds/subnetGroup:SubnetGroup", "registry-db")["subnetIds"]

    assert len(subnets) == 3
    assert inputs(found, INSTANCE, "registry-db")["dbSubnetGroupName"] == "registry-db"


def test_data_is_kept_when_the_database_is_deleted(found: Found) -> None:
    given = inputs(found, INSTANCE, "registry-db")

    assert found[f"{INSTANCE} registry-db"]["protect"]
    assert given["deletionProtection"] is True
    assert given["skipFinalSnapshot"] is False
    assert given["finalSnapshotIdentifier"] == "registry-db-final"
    assert given["deleteAutomatedBackups"] is False
    assert given["backupRetentionPeriod"] == 35
    assert given["copyTagsToSnapshot"] is True
    assert given["multiAz"] is True


def test_logs_are_encrypted_and_have_limited_retention(found: Found) -> None:
    for log in ("postgresql", "upgrade"):
        given = inputs(found, LOG_GROUP, f"registry-db-{log}")
        assert given["name"] == f"/aws/rds/instance/fraud-prod-main-registry-db/{log}"
        assert given["kmsKeyId"] == KEY_ARN
        assert given["retentionInDays"] == 90
        assert f"{LOG_GROUP} registry-db-{log}" in needs(found, INSTANCE, "registry-db")
    assert inputs(found, INSTANCE, "registry-db")["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    found = registered(tmp_path, PROGRAM, settings="protect: false")

    assert inputs(found, INSTANCE, "registry-db")["deletionProtection"] is False
    assert not found[f"{INSTANCE} registry-db"]["protect"]
    assert inputs(found, INSTANCE, "registry-db")["skipFinalSnapshot"] is False


@pytest.mark.parametrize("machine", ["db.q9.large", "db.m7g.gigantic", "large"])
def test_instance_class_of_unknown_memory_is_refused(machine: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the memory of this machine is unknown"):
        registered(tmp_path, PROGRAM.replace("db.m7g.large", machine))
