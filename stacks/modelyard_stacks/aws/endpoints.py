"""VPC endpoints for access to AWS services without leaving AWS."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import ec2, vpc

from .account import Account
from .policies import Reasoned, Statement, document

_NO_POLICY = frozenset({"eks-auth"})
"""Services whose endpoints get no policy, because AWS does not document that they accept one."""

_LAYERS = ("prod-{region}-starport-layer-bucket", "al2023-repos-{region}-de612dc2")
_LAYERS_OF_OTHERS = ("prod-registry-k8s-io-{region}", "docker-images-prod", "quayio-production-s3")
"""Buckets with image layers and operating system packages. Registries outside AWS redirect clients in AWS to a nearby
bucket, which they reach through this endpoint. Read 2026-11-25:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html,
https://docs.aws.amazon.com/linux/al2023/ug/repos-and-updates.html, https://github.com/kubernetes/k8s.io/issues/4214 and
https://github.com/docker/hub-feedback/issues/1318.
"""


def service_endpoints(
    name: str,
    *,
    account: Account,
    vpc_id: pulumi.Input[str],
    cidr: str,
    subnet_ids: Sequence[pulumi.Input[str]],
    route_table_ids: Sequence[pulumi.Input[str]],
    services: Sequence[str],
    buckets: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> list[ec2.VpcEndpoint]:
    """Create a free S3 endpoint, which saves NAT traffic, and an endpoint for each of `services`, e.g. `ecr.api`.

    The S3 endpoint lets the account's principals access `buckets`, and lets everyone read image layers. Each of the
    other endpoints lets the account's principals access its service. Raises RunError for services in China, where some
    names have a different format.
    """
    if services and account.partition == "aws-cn":
        raise pulumi.RunError(f"network {name}: endpoints in China are not supported; adopt a network")
    prefix = f"com.amazonaws.{account.region_name}"
    s3 = ec2.VpcEndpoint(
        f"{name}-s3",
        ec2.VpcEndpointArgs(
            vpc_id=vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"{prefix}.s3",
            route_table_ids=route_table_ids,
            policy=_storage_policy(account, buckets),
            tags={"Name": f"{name}-s3"},
        ),
        opts,
    )
    if not services:
        return [s3]
    group = _https_from(f"{name}-endpoints", vpc_id, cidr, opts)
    return [
        s3,
        *(
            ec2.VpcEndpoint(
                f"{name}-{service.replace('.', '-')}",
                ec2.VpcEndpointArgs(
                    vpc_id=vpc_id,
                    vpc_endpoint_type="Interface",
                    service_name=f"{prefix}.{service}",
                    subnet_ids=subnet_ids,
                    security_group_ids=[group.id],
                    policy=None if service in _NO_POLICY else _service_policy(account, service),
                    private_dns_enabled=True,  # off by default: the SDKs would keep using the public address
                    tags={"Name": f"{name}-{service}"},
                ),
                opts,
            )
            for service in services
        ),
    ]


def _storage_policy(account: Account, buckets: Sequence[str]) -> pulumi.Output[str]:
    """Return the S3 endpoint's policy, where conditions restrict clients, as gateway endpoints require principal `*`.

    Source: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html, 2026-11-25.
    """
    layers = [name.format(region=account.region_name) for name in (*_LAYERS, *_LAYERS_OF_OTHERS)]
    statements: list[Statement] = [
        {
            "Sid": "Layers",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": [f"arn:{account.partition}:s3:::{name}/*" for name in layers],
        }
    ]
    if buckets:
        arns = [f"arn:{account.partition}:s3:::{name}" for name in buckets]
        statements.append(
            {
                "Sid": "Buckets",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [each for arn in arns for each in (arn, f"{arn}/*")],
                "Condition": {"StringEquals": {"aws:PrincipalAccount": account.account_id}},
            }
        )
    return document(*statements)


def _service_policy(account: Account, service: str) -> pulumi.Output[str]:
    """Restrict an endpoint to this account, so that it can't be used with credentials of other accounts."""
    everything: Reasoned = (
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": "*",
            "Action": f"{service.partition('.')[0]}:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalAccount": account.account_id}},
        },
        "identity policies name resources; images of EKS's own add-ons belong to AWS accounts",
    )
    return document(everywhere=[everything])


def _https_from(name: str, vpc_id: pulumi.Input[str], cidr: str, opts: pulumi.ResourceOptions) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        name,
        ec2.SecurityGroupArgs(
            vpc_id=vpc_id, description="HTTPS from this network to services of AWS", tags={"Name": name}
        ),
        opts,
    )
    vpc.SecurityGroupIngressRule(
        name,
        vpc.SecurityGroupIngressRuleArgs(
            security_group_id=group.id,
            description="HTTPS from this network",
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
        ),
        opts,
    )
    return group
