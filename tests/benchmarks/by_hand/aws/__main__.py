"""The infrastructure of the `hello` example on AWS, written by hand with plain pulumi-aws.

It does the same as the emitted program: a private network with egress and endpoints, EKS with node pools for the
system, training and serving, one key for encryption at rest, a bucket, a PostgreSQL database, an image repository, a
role for each workload, and alarms. Where there are alternatives, it uses whichever has the fewest resources without
weakening access control or encryption. Every zone has a public subnet, since a load balancer needs two.
"""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

REGION = "eu-central-1"
NAME = "hello-aws-main"
NAMESPACE = "hello"
TAGS = {
    "modelyard:system": "hello",
    "modelyard:environment": "aws",
    "modelyard:target": "main",
    "modelyard:owner": "growth",
}
LOG_DAYS = 30
EMAIL = "growth@acme.example"
PROTECT = pulumi.Config().get_bool("protect") is not False
ADMINS = pulumi.Config().get_object("admins")

provider = aws.Provider("main", region=REGION, default_tags={"tags": TAGS})
here = pulumi.ResourceOptions(provider=provider)
asking = pulumi.InvokeOutputOptions(provider=provider)
caller = aws.get_caller_identity_output(opts=asking)
account_id = caller.account_id
zones = aws.get_availability_zones_output(
    state="available",
    filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
    opts=asking,
)


def after(*resources: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=provider, depends_on=list(resources), protect=protect)


def policy(*statements: object) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service: str, conditions: object = None) -> pulumi.Output[str]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return policy({**statement, "Condition": conditions} if conditions else statement)


def log_group(name: str, path: pulumi.Input[str]) -> aws.cloudwatch.LogGroup:
    return aws.cloudwatch.LogGroup(name, name=path, kms_key_id=key.arn, retention_in_days=LOG_DAYS, opts=here)


def managed(name: str, role: aws.iam.Role, managed_policy: str) -> aws.iam.RolePolicyAttachment:
    return aws.iam.RolePolicyAttachment(
        name, role=role.name, policy_arn=f"arn:aws:iam::aws:policy/{managed_policy}", opts=here
    )


# ---- the key

use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
node_roles = {
    "ArnEquals": {
        "aws:PrincipalArn": [
            pulumi.Output.concat("arn:aws:iam::", account_id, ":role/aws-service-role/", role)
            for role in (
                "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
                "spot.amazonaws.com/AWSServiceRoleForEC2Spot",
            )
        ]
    }
}
same_account = {"StringEquals": {"kms:CallerAccount": account_id}}
log_groups = pulumi.Output.concat(f"arn:aws:logs:{REGION}:", account_id, ":log-group:*")
key = aws.kms.Key(
    NAME,
    description=NAME,
    enable_key_rotation=True,
    deletion_window_in_days=30,
    policy=policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{REGION}.amazonaws.com"},
            "Action": use,
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": use,
            "Resource": "*",
            "Condition": {**node_roles, **same_account},
        },
        {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {**node_roles, **same_account, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ),
    opts=pulumi.ResourceOptions(provider=provider, protect=PROTECT),
)
aws.kms.Alias(NAME, name=f"alias/{NAME}", target_key_id=key.key_id, opts=here)

# ---- the network

vpc = aws.ec2.Vpc(
    NAME,
    cidr_block="10.0.0.0/16",
    enable_dns_hostnames=True,
    enable_dns_support=True,
    tags={"Name": NAME},
    opts=after(protect=PROTECT),
)
aws.ec2.DefaultSecurityGroup(NAME, vpc_id=vpc.id, ingress=[], egress=[], opts=here)

flow_group = log_group(f"{NAME}-flow-logs", f"/aws/vpc/{NAME}/flow-logs")
flow_role = aws.iam.Role(
    f"{NAME}-flow-logs",
    assume_role_policy=trust("vpc-flow-logs.amazonaws.com", {"StringEquals": {"aws:SourceAccount": account_id}}),
    opts=here,
)
flow_policy = aws.iam.RolePolicy(
    f"{NAME}-flow-logs",
    role=flow_role.id,
    policy=policy(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(flow_group.arn, ":*"),
        },
        {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": log_groups},
    ),
    opts=here,
)
aws.ec2.FlowLog(
    f"{NAME}-flow-logs",
    vpc_id=vpc.id,
    traffic_type="ALL",
    log_destination_type="cloud-watch-logs",
    log_destination=flow_group.arn,
    iam_role_arn=flow_role.arn,
    opts=after(flow_policy),
)


def subnet(name: str, index: int, block: str, role: str) -> aws.ec2.Subnet:
    return aws.ec2.Subnet(
        name,
        vpc_id=vpc.id,
        cidr_block=block,
        availability_zone=zones.names[index],
        tags={"Name": name, f"kubernetes.io/role/{role}": "1"},
        opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["availabilityZone"]),
    )


def route_table(name: str, subnets: Sequence[aws.ec2.Subnet]) -> aws.ec2.RouteTable:
    table = aws.ec2.RouteTable(name, vpc_id=vpc.id, tags={"Name": name}, opts=here)
    for index, each in enumerate(subnets):
        aws.ec2.RouteTableAssociation(f"{name}-{index + 1}", route_table_id=table.id, subnet_id=each.id, opts=here)
    return table


private = [subnet(f"{NAME}-private-{at + 1}", at, f"10.0.{32 * at}.0/19", "internal-elb") for at in range(3)]
public = [subnet(f"{NAME}-public-{at + 1}", at, f"10.0.{224 + at}.0/24", "elb") for at in range(3)]
internet = aws.ec2.InternetGateway(NAME, vpc_id=vpc.id, tags={"Name": NAME}, opts=here)
public_table = route_table(f"{NAME}-public", public)
public_route = aws.ec2.Route(
    f"{NAME}-public",
    route_table_id=public_table.id,
    destination_cidr_block="0.0.0.0/0",
    gateway_id=internet.id,
    opts=here,
)
address = aws.ec2.Eip(NAME, domain="vpc", tags={"Name": NAME}, opts=after(internet))
nat = aws.ec2.NatGateway(
    NAME,
    allocation_id=address.allocation_id,
    subnet_id=public[0].id,
    tags={"Name": NAME},
    opts=after(public_route),
)
private_table = route_table(f"{NAME}-private", private)
private_route = aws.ec2.Route(
    f"{NAME}-private",
    route_table_id=private_table.id,
    destination_cidr_block="0.0.0.0/0",
    nat_gateway_id=nat.id,
    opts=here,
)

endpoint_group = aws.ec2.SecurityGroup(
    f"{NAME}-endpoints", vpc_id=vpc.id, description="HTTPS from this network to services of AWS", opts=here
)
aws.vpc.SecurityGroupIngressRule(
    f"{NAME}-endpoints",
    security_group_id=endpoint_group.id,
    cidr_ipv4=vpc.cidr_block,
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=here,
)
endpoints = [
    aws.ec2.VpcEndpoint(
        f"{NAME}-s3",
        vpc_id=vpc.id,
        vpc_endpoint_type="Gateway",
        service_name=f"com.amazonaws.{REGION}.s3",
        route_table_ids=[private_table.id],
        tags={"Name": f"{NAME}-s3"},
        opts=here,
    ),
    *(
        aws.ec2.VpcEndpoint(
            f"{NAME}-{service.replace('.', '-')}",
            vpc_id=vpc.id,
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{REGION}.{service}",
            subnet_ids=[each.id for each in private],
            security_group_ids=[endpoint_group.id],
            private_dns_enabled=True,
            tags={"Name": f"{NAME}-{service}"},
            opts=here,
        )
        for service in ("autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "secretsmanager")
    ),
]

# ---- the cluster

cluster_logs = log_group(f"{NAME}-cluster", f"/aws/eks/{NAME}/cluster")
cluster_role = aws.iam.Role(f"{NAME}-cluster", assume_role_policy=trust("eks.amazonaws.com"), opts=here)
cluster_rights = managed(f"{NAME}-cluster", cluster_role, "AmazonEKSClusterPolicy")
cluster = aws.eks.Cluster(
    NAME,
    name=NAME,
    version="1.36",
    role_arn=cluster_role.arn,
    vpc_config={
        "subnet_ids": [each.id for each in private],
        "endpoint_private_access": True,
        "endpoint_public_access": False,
    },
    access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
    encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]},
    enabled_cluster_log_types=["api", "audit", "authenticator", "controllerManager", "scheduler"],
    deletion_protection=PROTECT,
    upgrade_policy={"support_type": "STANDARD"},
    bootstrap_self_managed_addons=False,
    opts=after(cluster_logs, cluster_rights, protect=PROTECT),
)
cluster_group = cluster.vpc_config.apply(lambda config: config.cluster_security_group_id or "")
aws.vpc.SecurityGroupIngressRule(
    f"{NAME}-api",
    security_group_id=cluster_group,
    cidr_ipv4=vpc.cidr_block,
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    opts=here,
)
session = aws.iam.get_session_context_output(arn=caller.arn, opts=asking)
for position, admin in enumerate(ADMINS or [session.issuer_arn]):
    entry = aws.eks.AccessEntry(f"{NAME}-admin-{position}", cluster_name=cluster.name, principal_arn=admin, opts=here)
    aws.eks.AccessPolicyAssociation(
        f"{NAME}-admin-{position}",
        cluster_name=cluster.name,
        principal_arn=entry.principal_arn,
        policy_arn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        access_scope={"type": "cluster"},
        opts=here,
    )


def pod_trust(namespace: str, service_account: str) -> pulumi.Output[str]:
    return policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster.arn,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        }
    )


def addon(
    name: str,
    version: str,
    *before: pulumi.Resource,
    configuration: str | None = None,
    service_account: str = "",
    role: aws.iam.Role | None = None,
) -> aws.eks.Addon:
    return aws.eks.Addon(
        f"{NAME}-{name}",
        cluster_name=cluster.name,
        addon_name=name,
        addon_version=version,
        configuration_values=configuration,
        pod_identity_associations=[{"service_account": service_account, "role_arn": role.arn}] if role else None,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="PRESERVE",
        opts=after(*before),
    )


agent = addon("eks-pod-identity-agent", "v1.3.10-eksbuild.3")
proxy = addon("kube-proxy", "v1.36.0-eksbuild.21")
cni_role = aws.iam.Role(f"{NAME}-vpc-cni", assume_role_policy=pod_trust("kube-system", "aws-node"), opts=here)
cni_rights = managed(f"{NAME}-vpc-cni", cni_role, "AmazonEKS_CNI_Policy")
cni = addon(
    "vpc-cni",
    "v1.22.4-eksbuild.3",
    agent,
    cni_rights,
    configuration=json.dumps({"enableNetworkPolicy": "true"}),
    service_account="aws-node",
    role=cni_role,
)

node_role = aws.iam.Role(f"{NAME}-node", assume_role_policy=trust("ec2.amazonaws.com"), opts=here)
node_rights = [
    managed(f"{NAME}-node-worker", node_role, "AmazonEKSWorkerNodePolicy"),
    managed(f"{NAME}-node-images", node_role, "AmazonEC2ContainerRegistryPullOnly"),
]


def node_pool(
    pool: str, machine: str, min_nodes: int, max_nodes: int, *, zone: int | None = None, tainted: bool = True
) -> aws.eks.NodeGroup:
    """Create a node group with its own launch template, since disks and machine names differ between pools."""
    called = pool if zone is None else f"{pool}-{zone + 1}"
    template = aws.ec2.LaunchTemplate(
        called,
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        block_device_mappings=[
            {
                "device_name": "/dev/xvda",
                "ebs": {
                    "volume_type": "gp3",
                    "volume_size": 100,
                    "encrypted": "true",
                    "kms_key_id": key.arn,
                    "delete_on_termination": "true",
                },
            }
        ],
        tag_specifications=[
            {"resource_type": kind, "tags": {**TAGS, "Name": f"{NAME}-{pool}"}}
            for kind in ("instance", "network-interface", "volume")
        ],
        opts=here,
    )
    labels = {"modelyard.dev/pool": pool, "modelyard.dev/capacity": "on-demand"}
    group = aws.eks.NodeGroup(
        called,
        cluster_name=cluster.name,
        version=cluster.version,
        node_role_arn=node_role.arn,
        subnet_ids=[each.id for each in (private if zone is None else private[zone : zone + 1])],
        ami_type="AL2023_x86_64_STANDARD",
        instance_types=[machine],
        capacity_type="ON_DEMAND",
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        scaling_config={"min_size": min_nodes, "max_size": max_nodes, "desired_size": min_nodes},
        labels=labels,
        taints=[{"key": "modelyard.dev/pool", "value": pool, "effect": "NO_SCHEDULE"}] if tainted else [],
        update_config={"max_unavailable_percentage": 33},
        node_repair_config={"enabled": True},
        opts=pulumi.ResourceOptions(
            provider=provider,
            depends_on=[agent, proxy, cni, private_route, *endpoints, *node_rights],
            ignore_changes=["scalingConfig.desiredSize"],
        ),
    )
    if not min_nodes:  # the autoscaler has no node to inspect
        template_tags = {
            **{f"label/{name}": value for name, value in labels.items()},
            **({f"taint/{name}": f"{pool}:NoSchedule" for name in list(labels)[:1]} if tainted else {}),
            "resources/ephemeral-storage": "100Gi",
        }
        scaling_group = group.resources.apply(lambda resources: (resources[0].autoscaling_groups or [])[0].name or "")
        for name, value in template_tags.items():
            aws.autoscaling.Tag(
                f"{pool}-{name}",
                autoscaling_group_name=scaling_group,
                tag={
                    "key": f"k8s.io/cluster-autoscaler/node-template/{name}",
                    "value": value,
                    "propagate_at_launch": False,
                },
                opts=here,
            )
    return group


system_pool = node_pool("system", "m6i.large", 1, 2, zone=0, tainted=False)
node_pool("system", "m6i.large", 1, 2, zone=1, tainted=False)
node_pool("pipelines-train", "m6i.xlarge", 0, 1)
node_pool("inference-churn", "m6i.large", 1, 1)

addon("coredns", "v1.14.3-eksbuild.16", system_pool)
csi_role = aws.iam.Role(
    f"{NAME}-ebs-csi", assume_role_policy=pod_trust("kube-system", "ebs-csi-controller-sa"), opts=here
)
csi_rights = managed(f"{NAME}-ebs-csi", csi_role, "service-role/AmazonEBSCSIDriverPolicy")
csi_key = aws.iam.RolePolicy(
    f"{NAME}-ebs-csi",
    role=csi_role.id,
    policy=policy(
        {
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
            "Resource": key.arn,
        },
        {
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": key.arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ),
    opts=here,
)
addon(
    "aws-ebs-csi-driver",
    "v1.63.1-eksbuild.1",
    system_pool,
    csi_rights,
    csi_key,
    configuration=json.dumps({"controller": {"extraVolumeTags": TAGS}}),
    service_account="ebs-csi-controller-sa",
    role=csi_role,
)

# ---- the bucket

lake = aws.s3.Bucket("lake", bucket="hello-aws-lake-9387c7", opts=after(protect=PROTECT))
lake_objects = pulumi.Output.concat(lake.arn, "/*")
aws.s3.BucketServerSideEncryptionConfiguration(
    "lake",
    bucket=lake.bucket,
    rules=[
        {
            "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
            "bucket_key_enabled": True,
            "blocked_encryption_types": ["SSE-C"],
        }
    ],
    opts=here,
)
lake_block = aws.s3.BucketPublicAccessBlock(
    "lake",
    bucket=lake.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=here,
)
lake_owned = aws.s3.BucketOwnershipControls(
    "lake", bucket=lake.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=after(lake_block)
)
aws.s3.BucketPolicy(
    "lake",
    bucket=lake.bucket,
    policy=policy(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [lake.arn, lake_objects],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": lake_objects,
            "Condition": {
                "Null": {"s3:x-amz-server-side-encryption": "false"},
                "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key.arn},
            },
        },
    ),
    opts=after(lake_owned),
)
lake_versions = aws.s3.BucketVersioning(
    "lake", bucket=lake.bucket, versioning_configuration={"status": "Enabled"}, opts=here
)
aws.s3.BucketLifecycleConfiguration(
    "lake",
    bucket=lake.bucket,
    rules=[
        {
            "id": "unfinished-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        },
        {
            "id": "earlier-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": 30},
            "expiration": {"expired_object_delete_marker": True},
        },
    ],
    opts=after(lake_versions),
)

# ---- the database of the registry

database_name = f"{NAME}-runs"
database_logs = [
    log_group(f"runs-{kind}", f"/aws/rds/instance/{database_name}/{kind}") for kind in ("postgresql", "upgrade")
]
database_group = aws.ec2.SecurityGroup(
    "runs", vpc_id=vpc.id, description="PostgreSQL, from the cluster only", opts=here
)
aws.vpc.SecurityGroupIngressRule(
    "runs",
    security_group_id=database_group.id,
    referenced_security_group_id=cluster_group,
    ip_protocol="tcp",
    from_port=5432,
    to_port=5432,
    opts=here,
)
database_subnets = aws.rds.SubnetGroup("runs", subnet_ids=[each.id for each in private], opts=here)
database_parameters = aws.rds.ParameterGroup(
    "runs",
    family="postgres18",
    parameters=[{"name": name, "value": "1"} for name in ("log_connections", "log_disconnections", "rds.force_ssl")],
    opts=here,
)
database = aws.rds.Instance(
    "runs",
    identifier=database_name,
    engine="postgres",
    engine_version="18",
    auto_minor_version_upgrade=True,
    instance_class="db.t4g.small",
    db_name="runs",
    username="dbadmin",
    port=5432,
    manage_master_user_password=True,
    master_user_secret_kms_key_id=key.arn,
    iam_database_authentication_enabled=True,
    allocated_storage=20,
    storage_type="gp3",
    storage_encrypted=True,
    kms_key_id=key.arn,
    multi_az=False,
    backup_retention_period=7,
    delete_automated_backups=False,
    copy_tags_to_snapshot=True,
    deletion_protection=PROTECT,
    skip_final_snapshot=False,
    final_snapshot_identifier=pulumi.Output.concat(database_subnets.name, "-final"),
    db_subnet_group_name=database_subnets.name,
    publicly_accessible=False,
    vpc_security_group_ids=[database_group.id],
    parameter_group_name=database_parameters.name,
    performance_insights_enabled=True,
    performance_insights_kms_key_id=key.arn,
    performance_insights_retention_period=7,
    enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
    opts=after(*database_logs, protect=PROTECT),
)
database_secret = database.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
login = aws.secretsmanager.Secret(
    f"{NAME}-runs-login",
    name=pulumi.Output.concat(database.identifier, "-login"),
    description="Login of the database runs, and of no other",
    kms_key_id=key.arn,
    recovery_window_in_days=0,
    opts=here,
)

# ---- images

repository = aws.ecr.Repository(
    f"{NAME}/hello-runtime",
    name=f"{NAME}/hello-runtime",
    image_tag_mutability="IMMUTABLE",
    image_scanning_configuration={"scan_on_push": True},
    encryption_configurations=[{"encryption_type": "KMS", "kms_key": key.arn}],
    force_delete=not PROTECT,
    opts=after(protect=PROTECT),
)
untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
aws.ecr.LifecyclePolicy(
    f"{NAME}/hello-runtime",
    repository=repository.name,
    policy=json.dumps({"rules": [{"rulePriority": 1, "selection": untagged, "action": {"type": "expire"}}]}),
    opts=here,
)

# ---- a role for each workload


def pod_role(name: str, namespace: str, service_account: str, *statements: object) -> None:
    role = aws.iam.Role(name, assume_role_policy=pod_trust(namespace, service_account), opts=here)
    rights = aws.iam.RolePolicy(name, role=role.name, policy=policy(*statements), opts=here)
    aws.eks.PodIdentityAssociation(
        name,
        cluster_name=cluster.name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        opts=after(rights),
    )


def through_secrets(action: str, secrets: object) -> object:
    conditions = {
        "StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": secrets},
    }
    return {"Effect": "Allow", "Action": action, "Resource": key.arn, "Condition": conditions}


def lake_rights(*, read: Sequence[str] = (), write: Sequence[str] = ()) -> list[object]:
    def objects(folders: Sequence[str]) -> list[pulumi.Output[str]]:
        return [pulumi.Output.concat(lake.arn, "/", folder, end) for folder in folders for end in ("", "/*")]

    def through_s3(action: str) -> object:
        conditions = {
            "StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [lake.arn, lake_objects]},
        }
        return {"Effect": "Allow", "Action": action, "Resource": key.arn, "Condition": conditions}

    every = [*read, *write]
    statements: list[object] = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects(every)},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": lake.arn,
            "Condition": {"StringLike": {"s3:prefix": [f"{folder}/*" for folder in every]}},
        },
        through_s3("kms:Decrypt"),
    ]
    if write:
        putting = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"]
        statements.append({"Effect": "Allow", "Action": putting, "Resource": objects(write)})
        statements.append(through_s3("kms:GenerateDataKey"))
    return statements


pod_role("registry", NAMESPACE, "registry", *lake_rights(write=["mlflow"]))
pod_role("train", NAMESPACE, "train", *lake_rights(read=["subscribers"], write=["mlflow/models/hello-churn"]))
pod_role("churn", NAMESPACE, "churn", *lake_rights(read=["mlflow/models/hello-churn"]))
pod_role("promoter", NAMESPACE, "promoter", *lake_rights(read=["mlflow/models"]))
pod_role(
    "autoscaler",
    "cluster-autoscaler",
    "cluster-autoscaler",
    {
        "Effect": "Allow",
        "Action": ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
        "Resource": pulumi.Output.concat(
            f"arn:aws:autoscaling:{REGION}:", account_id, ":autoScalingGroup:*:autoScalingGroupName/*"
        ),
        "Condition": {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{NAME}": "owned"}},
    },
    {
        "Effect": "Allow",
        "Action": "eks:DescribeNodegroup",
        "Resource": pulumi.Output.concat(f"arn:aws:eks:{REGION}:", account_id, f":nodegroup/{NAME}/*"),
    },
    {
        "Effect": "Allow",
        "Action": [
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeAutoScalingInstances",
            "autoscaling:DescribeLaunchConfigurations",
            "autoscaling:DescribeScalingActivities",
            "autoscaling:DescribeTags",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:GetInstanceTypesFromInstanceRequirements",
        ],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": REGION}},
    },
)
pod_role(
    "secrets",
    "external-secrets",
    "external-secrets",
    {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": login.arn},
    through_secrets("kms:Decrypt", login.arn),
)
pod_role(
    "runs-login",
    "hello",
    "login-runs",
    {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [database_secret, login.arn]},
    through_secrets("kms:Decrypt", [database_secret, login.arn]),
    {"Effect": "Allow", "Action": "rds:DescribeDBInstances", "Resource": database.arn},
    {"Effect": "Allow", "Action": "secretsmanager:PutSecretValue", "Resource": login.arn},
    through_secrets("kms:GenerateDataKey", login.arn),
)

# ---- alarms

topic = aws.sns.Topic(NAME, kms_master_key_id=key.arn, opts=here)
aws.sns.TopicPolicy(
    NAME,
    arn=topic.arn,
    policy=policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic.arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic.arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ),
    opts=here,
)
aws.sns.TopicSubscription(EMAIL, topic=topic.arn, protocol="email", endpoint=EMAIL, opts=here)


def alarm(
    name: str, metric: str, statistic: str, comparison: str, threshold: float, dimensions: dict[str, pulumi.Output[str]]
) -> None:
    database_alarm = "DBInstanceIdentifier" in dimensions
    aws.cloudwatch.MetricAlarm(
        name,
        namespace="AWS/RDS" if database_alarm else "AWS/NATGateway",
        metric_name=metric,
        dimensions=dimensions,
        statistic=statistic,
        period=300,
        evaluation_periods=3,
        datapoints_to_alarm=3 if statistic == "Average" else 1,
        comparison_operator=f"{comparison}Threshold",
        threshold=threshold,
        treat_missing_data="breaching" if database_alarm else "notBreaching",
        alarm_actions=[topic.arn],
        ok_actions=[topic.arn],
        opts=here,
    )


runs = {"DBInstanceIdentifier": database.identifier}
alarm("runs-storage", "FreeStorageSpace", "Minimum", "LessThan", 3 * 2**30, runs)
alarm("runs-cpu", "CPUUtilization", "Average", "GreaterThan", 80, runs)
alarm("runs-connections", "DatabaseConnections", "Maximum", "GreaterThan", 180, runs)
alarm("nat", "ErrorPortAllocation", "Sum", "GreaterThan", 0, {"NatGatewayId": nat.id})

# ---- what the workloads need

kubeconfig = pulumi.Output.json_dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": NAME,
                "cluster": {
                    "server": cluster.endpoint,
                    "certificate-authority-data": cluster.certificate_authority.apply(lambda it: it.data or ""),
                },
            }
        ],
        "users": [
            {
                "name": NAME,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "aws",
                        "args": ["eks", "get-token", "--cluster-name", cluster.name, "--region", REGION],
                    }
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
)
pulumi.export("kubeconfig", kubeconfig)
pulumi.export("cluster_name", cluster.name)
pulumi.export("region", REGION)
pulumi.export("key_arn", key.arn)
ranges = aws.ec2.get_prefix_list_output(
    name=f"com.amazonaws.{REGION}.s3", opts=pulumi.InvokeOutputOptions(provider=provider)
)
pulumi.export("s3_ranges", ranges.cidr_blocks.apply(",".join))
pulumi.export("image_registry", pulumi.Output.concat(account_id, f".dkr.ecr.{REGION}.amazonaws.com"))
pulumi.export("runs_host", database.address)
pulumi.export("runs_port", 5432)
pulumi.export("runs_secret", login.arn)
