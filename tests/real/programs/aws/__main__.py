"""Creates AWS resources like a beginner might, including some that block each other's deletion."""

import json

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
account = aws.Provider(
    "account",
    region="eu-central-1",
    allowed_account_ids=["123456789012"],
    default_tags=aws.ProviderDefaultTagsArgs(tags={"owner": "platform"}),
)
options = pulumi.ResourceOptions(provider=account)
caller = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=account))

network = aws.ec2.Vpc("network", cidr_block=config.require("cidr"), enable_dns_hostnames=True, opts=options)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=network.id, opts=options)
table = aws.ec2.RouteTable("table", vpc_id=network.id, opts=options)
aws.ec2.Route("out", route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id, opts=options)
for number, zone in enumerate(("eu-central-1a", "eu-central-1b")):
    subnet = aws.ec2.Subnet(
        f"subnet-{number}",
        vpc_id=network.id,
        cidr_block=network.cidr_block.apply(lambda cidr, n=number: cidr.replace(".0.0/16", f".{n}.0/24")),
        availability_zone=zone,
        tags={"name": f"subnet {number}"},
        opts=options,
    )
    aws.ec2.RouteTableAssociation(f"use-{number}", route_table_id=table.id, subnet_id=subnet.id, opts=options)
aws.ec2.DefaultSecurityGroup("closed", vpc_id=network.id, opts=options)
web = aws.ec2.SecurityGroup("web", vpc_id=network.id, opts=options)
aws.vpc.SecurityGroupIngressRule(
    "https",
    security_group_id=web.id,
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    cidr_ipv4=network.cidr_block,
    opts=options,
)
role = aws.iam.Role(
    "reader",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
    opts=options,
)
key = aws.kms.Key("key", enable_key_rotation=True, deletion_window_in_days=7, opts=options)
aws.kms.Alias("key", name="alias/small", target_key_id=key.id, opts=options)
bucket = aws.s3.Bucket("data", bucket="small-data-20261124", opts=options)
aws.s3.BucketVersioning(
    "data",
    bucket=bucket.bucket,
    versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
    opts=options,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    "data",
    bucket=bucket.bucket,
    rules=[
        aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="aws:kms", kms_master_key_id=key.arn
            ),
            bucket_key_enabled=True,
        )
    ],
    opts=options,
)
aws.s3.BucketPublicAccessBlock(
    "data",
    bucket=bucket.bucket,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=options,
)
aws.s3.BucketLifecycleConfiguration(
    "data",
    bucket=bucket.bucket,
    rules=[
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="old",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="raw/"),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=config.require_int("days")),
        )
    ],
    opts=options,
)
aws.iam.RolePolicy(
    "reader",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": pulumi.Output.concat(bucket.arn, "/raw/*")}
            ],
        }
    ),
    opts=options,
)

pulumi.export("account", caller.account_id)
pulumi.export("subnets", network.id)
