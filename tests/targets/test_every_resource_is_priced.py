"""Tests that every resource type is priced, free for a stated reason, or billed by usage.

The registered resources are those in the examples' golden files, so a new type fails here until it has an entry.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from modelyard.costs import HOURS_OF_A_MONTH
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.costing import line
from tests.examples import Example, golden_examples
from tests.narrowing import present

REGISTRATIONS: Final = Path(__file__).parents[1] / "golden" / "registrations"
CLOUDS: Final = ("aws:", "gcp:", "azure-native:")

COUNTED: Final[Mapping[str, tuple[str, float]]] = {
    "aws:eks/cluster:Cluster": ("EKS control plane", HOURS_OF_A_MONTH),
    "aws:ec2/natGateway:NatGateway": ("NAT gateways", HOURS_OF_A_MONTH),
    "aws:ec2/eip:Eip": ("public addresses of NAT gateways", HOURS_OF_A_MONTH),
    "aws:kms/key:Key": ("customer managed key", 1),
    "gcp:container/cluster:Cluster": ("GKE cluster management", HOURS_OF_A_MONTH),
    "gcp:dns/managedZone:ManagedZone": ("private zones for Google's APIs", 1),
    "gcp:compute/forwardingRule:ForwardingRule": ("Private Service Connect endpoint", HOURS_OF_A_MONTH),
    "gcp:secretmanager/secret:Secret": ("secret", 1),
    "azure-native:containerservice:ManagedCluster": ("AKS control plane", HOURS_OF_A_MONTH),
    "azure-native:network:NatGateway": ("NAT gateway", HOURS_OF_A_MONTH),
    "azure-native:network:PublicIPAddress": ("public address of the NAT gateway", HOURS_OF_A_MONTH),
    "azure-native:network:PrivateEndpoint": ("private endpoints", HOURS_OF_A_MONTH),
    "azure-native:privatedns:PrivateZone": ("private DNS zones", 1),
    "azure-native:containerregistry:Registry": ("container registry", 1),
}
"""For each resource type: its cost line, and the minimum number of billed units per month for one resource."""

LINES: Final[Mapping[str, str]] = {
    "aws:eks/nodeGroup:NodeGroup": "system pool, and by components: nodes of node groups",
    "aws:ec2/launchTemplate:LaunchTemplate": "disks of nodes",
    "aws:rds/instance:Instance": "RDS for PostgreSQL",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "interface endpoints; the gateway endpoint of S3 is free",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarms on NAT gateways and databases",
    "aws:secretsmanager/secret:Secret": "secrets, of which RDS creates another one",
    "aws:s3/bucket:Bucket": "stored objects",
    "aws:cloudwatch/logGroup:LogGroup": "ingested and kept logs",
    "aws:ec2/flowLog:FlowLog": "ingested logs",
    "aws:ecr/repository:Repository": "stored images",
    "gcp:container/nodePool:NodePool": "system pool, and by components: nodes of node pools",
    "gcp:sql/databaseInstance:DatabaseInstance": "Cloud SQL for PostgreSQL",
    "gcp:compute/routerNat:RouterNat": "Cloud NAT",
    "gcp:kms/cryptoKey:CryptoKey": "versions of the key",
    "gcp:secretmanager/secretVersion:SecretVersion": "secret",
    "gcp:monitoring/alertPolicy:AlertPolicy": "alerts, by conditions",
    "gcp:storage/bucket:Bucket": "stored objects",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": "ingested and kept logs",
    "gcp:artifactregistry/repository:Repository": "stored images",
    "azure-native:containerservice:AgentPool": "system pool, and by components: nodes of agent pools",
    "azure-native:dbforpostgresql:Server": "Database for PostgreSQL",
    "azure-native:monitor:MetricAlert": "alerts on the NAT gateway and databases",
    "azure-native:storage:StorageAccount": "stored objects",
    "azure-native:operationalinsights:Workspace": "ingested and kept logs",
}
"""Resource types whose cost depends on their properties or on usage, with the names of their cost lines."""

NO_PRICE: Final = "it has no price of its own"
RIGHTS: Final = "rights and identities are free"
OF_CALLS: Final = "only calls cost money, and a key calls rarely"
FREE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "aws:iam/accessKey:AccessKey", "aws:iam/instanceProfile:InstanceProfile", "aws:iam/policy:Policy",
            "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "aws:iam/user:User", "aws:iam/userPolicyAttachment:UserPolicyAttachment",
            "aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "gcp:projects/iAMMember:IAMMember",
            "gcp:projects/serviceIdentity:ServiceIdentity", "gcp:secretmanager/secretIamMember:SecretIamMember",
            "gcp:serviceaccount/account:Account", "gcp:storage/bucketIAMMember:BucketIAMMember", "gcp:sql/user:User",
            "azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition",
            "azure-native:managedidentity:FederatedIdentityCredential",
            "azure-native:managedidentity:UserAssignedIdentity",
        ),
        RIGHTS,
    ),
    **dict.fromkeys(
        (
            "aws:autoscaling/tag:Tag", "aws:ec2/tag:Tag", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            "aws:ec2/internetGateway:InternetGateway", "aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable",
            "aws:ec2/routeTableAssociation:RouteTableAssociation", "aws:ec2/securityGroup:SecurityGroup",
            "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc", "aws:ecr/lifecyclePolicy:LifecyclePolicy",
            "aws:eks/addon:Addon", "aws:kms/alias:Alias", "aws:rds/parameterGroup:ParameterGroup",
            "aws:rds/subnetGroup:SubnetGroup", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "aws:s3/bucketPolicy:BucketPolicy",
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "aws:s3/bucketVersioning:BucketVersioning", "aws:sns/topicPolicy:TopicPolicy",
            "aws:sqs/queuePolicy:QueuePolicy", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "gcp:compute/firewall:Firewall", "gcp:compute/network:Network", "gcp:compute/router:Router",
            "gcp:compute/subnetwork:Subnetwork", "gcp:dns/recordSet:RecordSet", "gcp:kms/keyRing:KeyRing",
            "gcp:logging/projectExclusion:ProjectExclusion", "gcp:logging/projectSink:ProjectSink",
            "gcp:projects/service:Service", "gcp:sql/database:Database",
            "azure-native:compute:DiskEncryptionSet", "azure-native:containerservice:MaintenanceConfiguration",
            "azure-native:dbforpostgresql:Configuration", "azure-native:dbforpostgresql:Database",
            "azure-native:monitor:DiagnosticSetting", "azure-native:network:NetworkSecurityGroup",
            "azure-native:network:PrivateDnsZoneGroup", "azure-native:network:Subnet",
            "azure-native:network:VirtualNetwork", "azure-native:privatedns:VirtualNetworkLink",
            "azure-native:resources:ResourceGroup", "azure-native:storage:BlobContainer",
            "azure-native:storage:BlobServiceProperties", "azure-native:storage:ManagementPolicy",
        ),
        NO_PRICE,
    ),
    "aws:budgets/budget:Budget": "the first two budgets of an account are free, and others cost cents",
    "aws:cloudwatch/eventRule:EventRule": "events of AWS itself are free",
    "aws:cloudwatch/eventTarget:EventTarget": "events of AWS itself are free",
    "aws:sns/topic:Topic": "the first thousand mails a month are free",
    "aws:sns/topicSubscription:TopicSubscription": "the first thousand mails a month are free",
    "aws:sqs/queue:Queue": "the first million requests a month are free",
    "gcp:compute/address:Address": "internal addresses are free",
    "gcp:monitoring/notificationChannel:NotificationChannel": "mails are free",
    "azure-native:monitor:ActionGroup": "the first thousand mails a month are free",
    "azure-native:keyvault:Key": OF_CALLS,
    "azure-native:keyvault:Secret": OF_CALLS,
    "azure-native:keyvault:Vault": OF_CALLS,
}  # fmt: skip


def registered(example: Example) -> dict[str, Counter[str]]:
    """Return the cloud resource types registered by an example's programs, keyed by target."""
    by_target: dict[str, Counter[str]] = {}
    for folder, resources in json.loads((REGISTRATIONS / f"{example}.json").read_text(encoding="utf-8")).items():
        target = Path(folder).parts[-2] if Path(folder).parts[-1] != folder else folder
        types = (str(each["type"]) for each in resources)
        by_target.setdefault(target, Counter()).update(kind for kind in types if kind.startswith(CLOUDS))
    return {target: kinds for target, kinds in by_target.items() if kinds}


# Of systems on several clouds, only parts are registered.
_STORED: Final = [example for example in golden_examples() if (REGISTRATIONS / f"{example}.json").is_file()]
IN_CLOUDS: Final = [example for example in _STORED if registered(example)]


def test_every_type_has_exactly_one_answer() -> None:
    kinds = {kind for example in IN_CLOUDS for counts in registered(example).values() for kind in counts}
    answers = Counter([*COUNTED, *LINES, *FREE])

    assert kinds - {*answers} == set()
    assert [kind for kind, count in answers.items() if count > 1] == []
    assert {kind.partition(":")[0] for kind in kinds} == {"aws", "gcp", "azure-native"}


@pytest.mark.parametrize("example", IN_CLOUDS, ids=str)
def test_as_many_are_paid_for_as_are_registered(example: Example) -> None:
    """A cost line's quantity follows from the spec and must equal the number of registered resources."""
    plan = present(example.compiled().plan)
    for target, kinds in registered(example).items():
        lines = tuple(TARGETS[plan.system.target(target).provider].lines(plan, target, NO_USAGE))
        for kind, (what, units) in COUNTED.items():
            if kinds[kind]:
                assert line(lines, what).quantity.floor == kinds[kind] * units, kind


@pytest.mark.parametrize("example", IN_CLOUDS, ids=str)
def test_alarms_and_secrets_are_counted(example: Example) -> None:
    """Alarms and secrets have one cost line for each of their owners."""
    plan = present(example.compiled().plan)
    for target, kinds in registered(example).items():
        lines = tuple(TARGETS[plan.system.target(target).provider].lines(plan, target, NO_USAGE))
        alarms = sum(line.quantity.ceiling for line in lines if line.what.startswith(("alarm", "alert")))
        registered_alarms = (
            "aws:cloudwatch/metricAlarm:MetricAlarm",
            "gcp:monitoring/alertPolicy:AlertPolicy",
            "azure-native:monitor:MetricAlert",
        )
        databases = kinds["aws:rds/instance:Instance"]
        secrets = sum(line.quantity.floor for line in lines if line.what == "secrets")

        assert alarms == sum(kinds[kind] for kind in registered_alarms)
        assert secrets == kinds["aws:secretsmanager/secret:Secret"] + databases
