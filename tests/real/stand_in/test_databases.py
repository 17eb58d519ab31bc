"""Tests RDS databases."""

from __future__ import annotations

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import Inputs, World, a_key, a_network, all_ends


def test_databases(world: World, cloud: Cloud) -> None:
    """A database uses a password secret, a subnet group and a parameter group."""
    key = a_key(world)
    vpc, subnets = a_network(world)
    firewall = world.make("group", "aws:ec2/securityGroup:SecurityGroup", vpcId=vpc["id"])
    group = world.make("subnets", "aws:rds/subnetGroup:SubnetGroup", subnetIds=subnets)
    parameters = world.make(
        "parameters",
        "aws:rds/parameterGroup:ParameterGroup",
        family="postgres17",
        parameters=[{"name": "rds.force_ssl", "value": "1"}],
    )
    database: Inputs = {
        "identifier": "fraud-registry",
        "engine": "postgres",
        "engineVersion": "17.6",
        "instanceClass": "db.m7g.large",
        "allocatedStorage": 50,
        "storageType": "gp3",
        "storageEncrypted": True,
        "kmsKeyId": key["arn"],
        "dbName": "registry",
        "username": "dbadmin",
        "port": 5432,
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": key["arn"],
        "multiAz": True,
        "backupRetentionPeriod": 7,
        "copyTagsToSnapshot": True,
        "deletionProtection": True,
        "skipFinalSnapshot": False,
        "dbSubnetGroupName": group["name"],
        "publiclyAccessible": False,
        "vpcSecurityGroupIds": [firewall["id"]],
        "parameterGroupName": parameters["name"],
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "iamDatabaseAuthenticationEnabled": True,
        "autoMinorVersionUpgrade": True,
        "performanceInsightsEnabled": True,
        "performanceInsightsRetentionPeriod": 7,
    }
    instance = world.make("database", "aws:rds/instance:Instance", **database)
    assert instance["masterUserSecrets"][0]["secretArn"].startswith("arn:aws:secretsmanager:")
    assert instance["address"]

    assert world.change("database", allocatedStorage=80)[0] == ["allocatedStorage"]
    assert world.replaced_by("database", dbName="other") == ["dbName"]
    with pytest.raises(Refused, match="final_snapshot_identifier is required"):
        world.remove("database")
    assert world.change("database", finalSnapshotIdentifier="fraud-last")[0] == ["finalSnapshotIdentifier"]
    with pytest.raises(Refused, match="deletion protection"):
        world.remove("database")
    assert world.change("database", deletionProtection=False)[0] == ["deletionProtection"]
    with pytest.raises(Refused, match="not a valid identifier"):
        world.make("wrong", "aws:rds/instance:Instance", **{**database, "identifier": "two--dashes"})
    all_ends(world, cloud)
    assert len(cloud.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1
