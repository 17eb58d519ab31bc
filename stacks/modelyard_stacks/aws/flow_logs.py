"""A network's flow logs: all accepted and rejected traffic."""

from __future__ import annotations

import pulumi
from pulumi_aws import ec2, iam

from .account import Account
from .key import Key
from .logs import LogGroup
from .policies import document, role_prefix, trust


def flow_logs(
    name: str, *, account: Account, key: Key, vpc_id: pulumi.Input[str], days: int, opts: pulumi.ResourceOptions
) -> ec2.FlowLog:
    """Log all traffic of a VPC to the log group `/aws/vpc/<name>/flow-logs`."""
    title = f"{name}-flow-logs"
    group = LogGroup(title, path=f"/aws/vpc/{name}/flow-logs", key=key, days=days, opts=opts)
    role = iam.Role(
        title,
        iam.RoleArgs(
            name_prefix=role_prefix(name, "flow-logs"),
            description=f"Logs the traffic of {name}",
            assume_role_policy=trust(
                "vpc-flow-logs.amazonaws.com",
                # without this, the service could be tricked into using this role for another account's network
                # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html, 2026-11-24
                conditions={"StringEquals": {"aws:SourceAccount": account.account_id}},
            ),
        ),
        opts,
    )
    policy = iam.RolePolicy(
        title,
        iam.RolePolicyArgs(
            role=role.id,
            policy=document(
                {
                    "Sid": "Write",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    "Resource": pulumi.Output.concat(group.arn, ":*"),
                },
                {
                    "Sid": "Find",
                    "Effect": "Allow",
                    "Action": "logs:DescribeLogGroups",
                    "Resource": account.arn("logs", "log-group:*"),
                },
            ),
        ),
        opts,
    )
    return ec2.FlowLog(
        title,
        ec2.FlowLogArgs(
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": title},
        ),
        # the flow log uses its role as soon as it is created
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
    )
