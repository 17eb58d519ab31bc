"""Services of AWS that a network reaches without leaving it."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import ec2, vpc

from .account import Account


def service_endpoints(
    name: str,
    *,
    account: Account,
    vpc_id: pulumi.Input[str],
    cidr: str,
    subnet_ids: Sequence[pulumi.Input[str]],
    route_table_ids: Sequence[pulumi.Input[str]],
    services: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> list[ec2.VpcEndpoint]:
    """S3, which costs nothing and whose traffic no gateway has to carry, and each of `services`, such as `ecr.api`.

    Raises RunError for services in China, where some of them have names of another form.
    """
    if services and account.partition == "aws-cn":
        raise pulumi.RunError(f"network {name}: the names of endpoints in China are not known here, adopt a network")
    prefix = f"com.amazonaws.{account.region_name}"
    s3 = ec2.VpcEndpoint(
        f"{name}-s3",
        ec2.VpcEndpointArgs(
            vpc_id=vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"{prefix}.s3",
            route_table_ids=route_table_ids,
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
                    private_dns_enabled=True,  # off by default: the SDKs would go on to the public address
                    tags={"Name": f"{name}-{service}"},
                ),
                opts,
            )
            for service in services
        ),
    ]


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
