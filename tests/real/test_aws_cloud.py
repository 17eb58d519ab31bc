"""Every type of the stand-in for AWS lives: made, found unchanged, changed, tagged, and taken away in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.aws.api import ENDPOINT, FOLDER, Refused
from engine.aws.cloud import Cloud
from engine.aws.cloud import cloud as running_cloud
from engine.aws.lifecycle import Lifecycle
from engine.aws.table import RECORDS

Inputs = dict[str, Any]


@dataclass
class World:
    """What a program would do, without an engine: things by name, made in order and taken away in reverse."""

    lifecycle: Lifecycle
    made: dict[str, tuple[str, str, Inputs, Inputs]] = field(default_factory=dict[str, tuple[str, str, Inputs, Inputs]])

    def make(self, name: str, kind: str, /, **inputs: Any) -> Inputs:
        """Makes a thing, and says that nothing about it differs from what was asked for."""
        checked, failures = self.lifecycle.check(kind, name, {}, inputs, name.encode())
        assert failures == []
        found, state = self.lifecycle.create(kind, checked)
        self.made[name] = (kind, found, checked, state)
        self._steady(name)
        return {**state, "id": found}

    def change(self, name: str, /, **inputs: Any) -> tuple[list[str], Inputs]:
        """Changes a thing in place; what the provider says has changed, and the new state."""
        kind, found, before, state = self.made[name]
        checked, _ = self.lifecycle.check(kind, name, before, {**before, **inputs}, b"")
        changed, replaced, _ = self.lifecycle.diff(kind, before, state, checked)
        assert replaced == []
        after = self.lifecycle.update(kind, found, state, checked)
        self.made[name] = (kind, found, checked, after)
        self._steady(name)
        return changed, after

    def replaced_by(self, name: str, /, **inputs: Any) -> list[str]:
        """The properties of this change that ask for a replacement."""
        kind, _, before, state = self.made[name]
        return self.lifecycle.diff(kind, before, state, {**before, **inputs})[1]

    def remove(self, name: str) -> None:
        """Takes a thing away, and says that it is gone."""
        kind, found, inputs, state = self.made[name]
        self.lifecycle.delete(kind, found, state)
        del self.made[name]
        if kind not in _STAY:
            assert self.lifecycle.read(kind, found, state, inputs) is None, name

    def _steady(self, name: str) -> None:
        kind, found, inputs, state = self.made[name]
        seen = self.lifecycle.read(kind, found, state, inputs)
        assert seen is not None
        assert seen[1] == inputs, name
        assert self.lifecycle.diff(kind, seen[1], seen[0], inputs) == ([], [], False), name


_STAY = (
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",  # goes with its network
    # versioning cannot be taken away from a bucket, only stopped; a topic always has a policy
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """An AWS of the test's own."""
    with running_cloud(tmp_path / "cloud") as found:
        yield found


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> World:
    """The provider, configured, in this process."""
    for name in (ENDPOINT, FOLDER):
        monkeypatch.setenv(name, cloud.variables()[name])
    lifecycle = Lifecycle(cloud.folder)
    lifecycle.configure({"region": "eu-central-1", "defaultTags": json.dumps({"tags": {"owner": "platform"}})})
    return World(lifecycle)


def _policy(*actions: str, resource: str = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), **({} if "NoResource" in more else {"Resource": resource})}
    more.pop("NoResource", None)
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})


def _trust(service: str) -> str:
    return _policy("sts:AssumeRole", NoResource=True, Principal={"Service": service})


def _key(world: World) -> Inputs:
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    logs = {"Service": "logs.eu-central-1.amazonaws.com"}
    statements = [
        {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": logs, "Action": "kms:Encrypt", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return world.make("key", "aws:kms/key:Key", description="one", enableKeyRotation=True, policy=policy)


def _network(world: World) -> tuple[Inputs, list[str]]:
    vpc = world.make("vpc", "aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True, enableDnsSupport=True)
    subnets = [
        world.make(
            f"subnet-{zone}",
            "aws:ec2/subnet:Subnet",
            vpcId=vpc["id"],
            cidrBlock=f"10.0.{number}.0/24",
            availabilityZone=f"eu-central-1{zone}",
            tags={"Name": zone},
        )["id"]
        for number, zone in enumerate("ab")
    ]
    return vpc, subnets


def _end(world: World, cloud: Cloud) -> None:
    """Everything is taken away in reverse, and nothing was kept otherwise than told."""
    for name in reversed(list(world.made)):
        world.remove(name)
    assert cloud.surprises() == {}


def test_networks(world: World, cloud: Cloud) -> None:
    """Gateways, addresses, routes, endpoints, firewalls and flow logs of one network."""
    key = _key(world)
    vpc, subnets = _network(world)
    world.make("gateway", "aws:ec2/internetGateway:InternetGateway", vpcId=vpc["id"])
    address = world.make("address", "aws:ec2/eip:Eip", domain="vpc")
    nat = world.make(
        "nat", "aws:ec2/natGateway:NatGateway", subnetId=subnets[0], allocationId=address["id"], tags={"Name": "n"}
    )
    table = world.make("table", "aws:ec2/routeTable:RouteTable", vpcId=vpc["id"])
    world.make(
        "route",
        "aws:ec2/route:Route",
        routeTableId=table["id"],
        destinationCidrBlock="0.0.0.0/0",
        natGatewayId=nat["id"],
    )
    world.make(
        "use",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        routeTableId=table["id"],
        subnetId=subnets[0],
    )
    world.make("closed", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc["id"])
    group = world.make("group", "aws:ec2/securityGroup:SecurityGroup", vpcId=vpc["id"], description="HTTPS")
    world.make(
        "https",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        securityGroupId=group["id"],
        ipProtocol="tcp",
        fromPort=443,
        toPort=443,
        cidrIpv4="10.0.0.0/16",
        description="from inside",
    )
    world.make(
        "out",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        securityGroupId=group["id"],
        ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )
    world.make(
        "s3",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc["id"],
        vpcEndpointType="Gateway",
        serviceName="com.amazonaws.eu-central-1.s3",
        routeTableIds=[table["id"]],
    )
    world.make(
        "sts",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc["id"],
        vpcEndpointType="Interface",
        serviceName="com.amazonaws.eu-central-1.sts",
        subnetIds=subnets,
        securityGroupIds=[group["id"]],
        privateDnsEnabled=True,
    )
    role = world.make("role", "aws:iam/role:Role", assumeRolePolicy=_trust("vpc-flow-logs.amazonaws.com"))
    log = world.make(
        "log", "aws:cloudwatch/logGroup:LogGroup", name="/aws/vpc/x", retentionInDays=30, kmsKeyId=key["arn"]
    )
    world.make(
        "flows",
        "aws:ec2/flowLog:FlowLog",
        vpcId=vpc["id"],
        trafficType="ALL",
        logDestinationType="cloud-watch-logs",
        logDestination=log["arn"],
        iamRoleArn=role["arn"],
    )

    assert world.change("https", fromPort=8443, toPort=8443)[0] == ["fromPort", "toPort"]
    assert world.change("log", retentionInDays=90)[0] == ["retentionInDays"]
    assert world.change("vpc", tags={"Name": "v"})[0] == ["tags", "tagsAll"]
    assert world.change("sts", subnetIds=subnets[:1])[0] == ["subnetIds"]
    assert world.replaced_by("subnet-a", cidrBlock="10.0.9.0/24") == ["cidrBlock"]
    assert world.replaced_by("group", description="other") == ["description"]
    for name, words in (("vpc", "has dependencies"), ("subnet-a", "has dependencies"), ("group", "dependent object")):
        with pytest.raises(Refused, match=words):
            world.remove(name)
    _end(world, cloud)


def test_identities(world: World, cloud: Cloud) -> None:
    """Roles, users, their policies and keys."""
    trust = _trust("ec2.amazonaws.com")
    role = world.make("role", "aws:iam/role:Role", assumeRolePolicy=trust, namePrefix="fraud-", description="nodes")
    assert role["name"].startswith("fraud-")
    managed = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    world.make("managed", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role["name"], policyArn=managed)
    world.make("inline", "aws:iam/rolePolicy:RolePolicy", role=role["name"], policy=_policy("s3:GetObject"))
    policy = world.make("policy", "aws:iam/policy:Policy", policy=_policy("s3:ListBucket"))
    own = policy["arn"]
    world.make("attached", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role["id"], policyArn=own)
    user = world.make("user", "aws:iam/user:User", forceDestroy=False, tags={"workload": "scorer"})
    world.make("shared", "aws:iam/userPolicyAttachment:UserPolicyAttachment", user=user["name"], policyArn=own)
    world.make("rights", "aws:iam/userPolicy:UserPolicy", user=user["name"], policy=_policy("s3:GetObject"))
    key = world.make("key", "aws:iam/accessKey:AccessKey", user=user["name"])
    assert key["secret"]

    assert world.change("inline", policy=_policy("s3:PutObject"))[0] == ["policy"]
    assert world.change("policy", policy=_policy("s3:DeleteObject"))[0] == ["policy"]
    assert world.change("role", description="machines")[0] == ["description"]
    assert world.change("user", tags={"workload": "other"})[0] == ["tags", "tagsAll"]
    assert world.replaced_by("managed", policyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy") == ["policyArn"]
    with pytest.raises(Refused, match="no Statement"):
        world.make("wrong", "aws:iam/policy:Policy", policy="{}")
    with pytest.raises(Refused, match="NoSuchEntity"):
        world.make(
            "unknown",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            role=role["name"],
            policyArn="arn:aws:iam::aws:policy/AmazonEKSNodePolicyThatIsNot",
        )
    with pytest.raises(Refused, match="DeleteConflict"):
        world.remove("role")
    _end(world, cloud)


def test_buckets_and_keys(world: World, cloud: Cloud) -> None:
    """A bucket with all that is told about it elsewhere."""
    key = _key(world)
    world.make("alias", "aws:kms/alias:Alias", name="alias/x", targetKeyId=key["keyId"])
    bucket = world.make("lake", "aws:s3/bucket:Bucket", forceDestroy=False, tags={"workload": "lake"})["bucket"]
    world.make(
        "versioning",
        "aws:s3/bucketVersioning:BucketVersioning",
        bucket=bucket,
        versioningConfiguration={"status": "Enabled"},
    )
    encryption = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key["arn"]}}
    world.make(
        "encryption",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        bucket=bucket,
        rules=[{**encryption, "bucketKeyEnabled": True}],
    )
    blocks = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    world.make(
        "block",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        bucket=bucket,
        **dict.fromkeys(blocks, True),
    )
    world.make(
        "owner",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        bucket=bucket,
        rule={"objectOwnership": "BucketOwnerEnforced"},
    )
    rules = [
        {"id": "parts", "status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
        {"id": "old", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}},
        {"id": "raw", "status": "Enabled", "filter": {"prefix": "raw/"}, "expiration": {"days": 365}},
    ]
    world.make(
        "lifecycle", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket=bucket, rules=rules
    )
    world.make(
        "policy",
        "aws:s3/bucketPolicy:BucketPolicy",
        bucket=bucket,
        policy=_policy("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*", Principal="*"),
    )

    assert world.change("lifecycle", rules=rules[:2])[0] == ["rules"]
    assert world.change("key", description="two", enableKeyRotation=False)[0] == ["description", "enableKeyRotation"]
    assert world.change("lake", tags={"workload": "sea"})[0] == ["tags", "tagsAll"]
    assert world.replaced_by("lake", bucket="other") == ["bucket"]
    with pytest.raises(Refused, match="does not match"):
        world.make("wrong", "aws:s3/bucket:Bucket", bucket="Capital_Letters")
    alone = _policy("kms:Decrypt", Principal={"AWS": "arn:aws:iam::123456789012:role/x"})
    with pytest.raises(Refused, match="not allow you to update the key policy"):
        world.make("locked", "aws:kms/key:Key", policy=alone)
    _end(world, cloud)


def _cluster(world: World, key: Inputs, subnets: list[str]) -> tuple[Inputs, Inputs]:
    role = world.make("control", "aws:iam/role:Role", assumeRolePolicy=_trust("eks.amazonaws.com"))
    cluster = world.make(
        "cluster",
        "aws:eks/cluster:Cluster",
        name="fraud",
        version="1.35",
        roleArn=role["arn"],
        vpcConfig={"subnetIds": subnets, "endpointPrivateAccess": True, "endpointPublicAccess": False},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        encryptionConfig={"provider": {"keyArn": key["arn"]}, "resources": ["secrets"]},
        enabledClusterLogTypes=["api", "audit"],
        deletionProtection=True,
        upgradePolicy={"supportType": "STANDARD"},
        bootstrapSelfManagedAddons=False,
    )
    node = world.make("node", "aws:iam/role:Role", assumeRolePolicy=_trust("ec2.amazonaws.com"))
    return cluster, node


def test_clusters(world: World, cloud: Cloud) -> None:
    """A cluster, who may use it, its add-ons and its nodes."""
    key = _key(world)
    _, subnets = _network(world)
    _, node = _cluster(world, key, subnets)
    world.make("tag", "aws:ec2/tag:Tag", resourceId=_group_of(world), key="karpenter.sh/discovery", value="fraud")
    principal = "arn:aws:iam::123456789012:role/platform"
    world.make("entry", "aws:eks/accessEntry:AccessEntry", clusterName="fraud", principalArn=principal)
    world.make(
        "right",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        clusterName="fraud",
        principalArn=principal,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope={"type": "cluster"},
    )
    pods = world.make("pods", "aws:iam/role:Role", assumeRolePolicy=_trust("pods.eks.amazonaws.com"))
    group: Inputs = {
        "clusterName": "fraud",
        "nodeRoleArn": node["arn"],
        "subnetIds": subnets,
        "instanceTypes": ["g6.2xlarge", "g5.2xlarge"],
        "amiType": "AL2023_x86_64_NVIDIA",
        "capacityType": "SPOT",
        "labels": {"modelyard.dev/pool": "gpu"},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        "scalingConfig": {"minSize": 0, "maxSize": 4, "desiredSize": 1},
        "updateConfig": {"maxUnavailable": 1},
        "nodeRepairConfig": {"enabled": True},
    }
    with pytest.raises(Refused, match="NodeCreationFailure"):
        world.make("early", "aws:eks/nodeGroup:NodeGroup", **group)
    world.make(
        "network",
        "aws:eks/addon:Addon",
        clusterName="fraud",
        addonName="vpc-cni",
        addonVersion="v1.20.4-eksbuild.2",
        configurationValues='{"enableNetworkPolicy":"true"}',
        podIdentityAssociations=[{"serviceAccount": "aws-node", "roleArn": pods["arn"]}],
        resolveConflictsOnCreate="OVERWRITE",
    )
    with pytest.raises(Refused, match="DEGRADED"):
        world.make("dns", "aws:eks/addon:Addon", clusterName="fraud", addonName="coredns")
    template = world.make(
        "template",
        "aws:ec2/launchTemplate:LaunchTemplate",
        metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1},
        blockDeviceMappings=[
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3", "encrypted": "true"}}
        ],
        tagSpecifications=[{"resourceType": "instance", "tags": {"owner": "platform"}}],
        updateDefaultVersion=True,
    )
    version = str(template["latestVersion"])
    nodes = world.make(
        "nodes", "aws:eks/nodeGroup:NodeGroup", **group, launchTemplate={"id": template["id"], "version": version}
    )
    world.make("dns", "aws:eks/addon:Addon", clusterName="fraud", addonName="coredns")
    world.make(
        "size",
        "aws:autoscaling/tag:Tag",
        autoscalingGroupName=nodes["resources"][0]["autoscalingGroups"][0]["name"],
        tag={"key": "k8s.io/cluster-autoscaler/node-template/label/x", "value": "y", "propagateAtLaunch": False},
    )
    identity: Inputs = {"clusterName": "fraud", "namespace": "fraud", "serviceAccount": "trainer"}
    world.make("identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation", **identity, roleArn=pods["arn"])

    with pytest.raises(Refused, match="already exists"):
        world.make("twice", "aws:eks/podIdentityAssociation:PodIdentityAssociation", **identity, roleArn=pods["arn"])
    with pytest.raises(Refused, match="ResourceInUse"):
        world.make("own", "aws:eks/accessEntry:AccessEntry", clusterName="fraud", principalArn=node["arn"])
    with pytest.raises(Refused, match="deletion protection"):
        world.remove("cluster")
    assert world.change("nodes", scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 2})[0] == ["scalingConfig"]
    assert world.change("nodes", labels={"modelyard.dev/pool": "big"})[0] == ["labels"]
    assert world.replaced_by("nodes", instanceTypes=["g6.4xlarge"]) == ["instanceTypes"]
    assert world.change("network", addonVersion="v1.21.0-eksbuild.1")[0] == ["addonVersion"]
    assert world.change("cluster", enabledClusterLogTypes=["audit"])[0] == ["enabledClusterLogTypes"]
    assert world.change("cluster", version="1.36")[0] == ["version"]
    with pytest.raises(Refused, match="Unsupported Kubernetes minor version"):
        world.change("cluster", version="1.38")
    assert world.change("cluster", deletionProtection=False)[0] == ["deletionProtection"]
    data = {"httpTokens": "required", "httpPutResponseHopLimit": 2}
    assert world.change("template", metadataOptions=data)[1]["latestVersion"] == 2
    _end(world, cloud)


def _group_of(world: World) -> str:
    return str(world.made["cluster"][3]["vpcConfig"]["clusterSecurityGroupId"])


def test_two_zones_are_needed(world: World) -> None:
    """A cluster or a database in one zone is refused."""
    key = _key(world)
    _, subnets = _network(world)

    with pytest.raises(Refused, match="two different AZs"):
        _cluster(world, key, subnets[:1])
    with pytest.raises(Refused, match="two different AZs"):
        world.make("subnets", "aws:rds/subnetGroup:SubnetGroup", subnetIds=subnets[:1])


def test_databases(world: World, cloud: Cloud) -> None:
    """A database with its password in Secrets Manager, its subnets and its parameters."""
    key = _key(world)
    vpc, subnets = _network(world)
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
    made = world.make("database", "aws:rds/instance:Instance", **database)
    assert made["masterUserSecrets"][0]["secretArn"].startswith("arn:aws:secretsmanager:")
    assert made["address"]

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
    _end(world, cloud)
    assert len(cloud.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1


def test_images_and_secrets(world: World, cloud: Cloud) -> None:
    """Repositories with their lifecycle, and secrets with what is in them."""
    key = _key(world)
    world.make(
        "images",
        "aws:ecr/repository:Repository",
        name="fraud/runtime",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfigurations=[{"encryptionType": "KMS", "kmsKey": key["arn"]}],
        forceDelete=False,
    )
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
        "action": {"type": "expire"},
    }
    policy = json.dumps({"rules": [rule]})
    world.make("old", "aws:ecr/lifecyclePolicy:LifecyclePolicy", repository="fraud/runtime", policy=policy)
    secret = world.make("secret", "aws:secretsmanager/secret:Secret", kmsKeyId=key["arn"], recoveryWindowInDays=7)
    world.make("value", "aws:secretsmanager/secretVersion:SecretVersion", secretId=secret["id"], secretString="hidden")

    assert world.change("images", imageTagMutability="MUTABLE")[0] == ["imageTagMutability"]
    assert world.replaced_by("images", encryptionConfigurations=[{"encryptionType": "AES256"}]) == [
        "encryptionConfigurations"
    ]
    assert world.change("secret", description="d")[0] == ["description"]
    twice = json.dumps({"rules": [rule, rule]})
    with pytest.raises(Refused, match="one priority"):
        world.make("wrong", "aws:ecr/lifecyclePolicy:LifecyclePolicy", repository="fraud/runtime", policy=twice)
    _end(world, cloud)


def test_messages_and_alarms(world: World, cloud: Cloud) -> None:
    """Topics, queues, events, alarms and budgets."""
    key = _key(world)
    topic = world.make("topic", "aws:sns/topic:Topic", kmsMasterKeyId=key["arn"])
    service = {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    allowed = _policy("sns:Publish", resource=topic["arn"], **service)
    world.make("topic-policy", "aws:sns/topicPolicy:TopicPolicy", arn=topic["arn"], policy=allowed)
    world.make(
        "mail",
        "aws:sns/topicSubscription:TopicSubscription",
        topic=topic["arn"],
        protocol="email",
        endpoint="ml@example.com",
    )
    alarm: Inputs = {
        "namespace": "AWS/RDS",
        "metricName": "FreeStorageSpace",
        "dimensions": {"DBInstanceIdentifier": "fraud"},
        "statistic": "Minimum",
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 1,
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1.5,
        "treatMissingData": "breaching",
        "alarmActions": [topic["arn"]],
        "okActions": [topic["arn"]],
    }
    world.make("alarm", "aws:cloudwatch/metricAlarm:MetricAlarm", **alarm)
    queue = world.make("queue", "aws:sqs/queue:Queue", messageRetentionSeconds=300, kmsMasterKeyId=key["arn"])
    events = {"Principal": {"Service": "events.amazonaws.com"}}
    world.make(
        "queue-policy",
        "aws:sqs/queuePolicy:QueuePolicy",
        queueUrl=queue["url"],
        policy=_policy("sqs:SendMessage", resource=queue["arn"], **events),
    )
    rule = world.make("rule", "aws:cloudwatch/eventRule:EventRule", eventPattern='{"source":["aws.ec2"]}')
    world.make("target", "aws:cloudwatch/eventTarget:EventTarget", rule=rule["name"], arn=queue["arn"])
    notification: Inputs = {
        "notificationType": "ACTUAL",
        "comparisonOperator": "GREATER_THAN",
        "threshold": 80,
        "thresholdType": "PERCENTAGE",
        "subscriberEmailAddresses": ["ml@example.com"],
    }
    world.make(
        "budget",
        "aws:budgets/budget:Budget",
        budgetType="COST",
        timeUnit="MONTHLY",
        limitAmount="500",
        limitUnit="USD",
        costFilters=[{"name": "TagKeyValue", "values": ["user:modelyard:system$fraud"]}],
        notifications=[notification, {**notification, "notificationType": "FORECASTED", "threshold": 100}],
    )

    assert world.change("alarm", threshold=2)[0] == ["threshold"]
    assert world.change("queue", messageRetentionSeconds=600)[0] == ["messageRetentionSeconds"]
    assert world.change("budget", limitAmount="900")[0] == ["limitAmount"]
    assert world.change("budget", notifications=[{**notification, "threshold": 90}])[0] == ["notifications"]
    assert world.change("topic", tags={"a": "b"})[0] == ["tags", "tagsAll"]
    with pytest.raises(Refused, match="DatapointsToAlarm"):
        world.make("wrong", "aws:cloudwatch/metricAlarm:MetricAlarm", **{**alarm, "datapointsToAlarm": 4})
    _end(world, cloud)


def test_every_type_has_been_lived_through() -> None:
    """A type that no test makes would be untried."""
    text = Path(__file__).read_text()

    assert [kind for kind in RECORDS if kind not in text] == []
