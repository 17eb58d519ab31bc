"""The key that encrypts all data at rest."""

from __future__ import annotations

import pulumi
from pulumi_aws import kms

from .account import Account, protected
from .policies import Reasoned, document

_THIS_KEY = "in a key's policy, * means only that key"
_USE = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]


class Key(pulumi.ComponentResource):
    """A customer-managed KMS key with the alias `alias/<name>`, rotated every year.

    Roles and users of the account get access through their own policies. With `services`, the key's policy also gives
    access to CloudWatch Logs for the account's log groups, to CloudWatch alarms and EventBridge rules that write to
    encrypted topics and queues, and to the service roles that start nodes with encrypted disks. Losing the key means
    losing everything it encrypts, so it is protected, and deletion only takes effect after 30 days.
    """

    arn: pulumi.Output[str]
    account: Account

    def __init__(
        self, name: str, *, account: Account, services: bool = True, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("modelyard:aws:Key", name, None, account.options(opts))
        self.account = account
        key = kms.Key(
            name,
            kms.KeyArgs(
                description=name,
                enable_key_rotation=True,  # off by default
                deletion_window_in_days=30,
                policy=document(everywhere=[_account(account), *(_services(account) if services else ())]),
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        kms.Alias(
            name,
            kms.AliasArgs(name=f"alias/{name}", target_key_id=key.key_id),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def _account(account: Account) -> Reasoned:
    return (
        {
            # Without this statement, only AWS support can recover the key. It grants no access by itself, but lets the
            # account's IAM policies grant it.
            # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
            "Sid": "AccountPolicies",
            "Effect": "Allow",
            "Principal": {"AWS": account.arn("iam", "root", regional=False)},
            "Action": "kms:*",
            "Resource": "*",
        },
        _THIS_KEY,
    )


def _services(account: Account) -> list[Reasoned]:
    region = account.region_name
    this_account = {"aws:SourceAccount": account.account_id}
    return [
        (
            {
                # Required to create an encrypted log group.
                # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, 2026-11-24
                "Sid": "LogGroups",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                "Action": _USE,
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": account.arn("logs", "log-group:*")}},
            },
            _THIS_KEY,
        ),
        (
            {
                # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, 2026-11-24
                "Sid": "AlarmsToTopics",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {"StringEquals": this_account},
            },
            _THIS_KEY,
        ),
        (
            {
                # Only for queues: encrypted topics do not support these conditions.
                # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, 2026-11-24
                "Sid": "EventsToQueues",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": this_account,
                    "ArnLike": {"aws:SourceArn": account.arn("events", "rule/*")},
                },
            },
            _THIS_KEY,
        ),
        *_node_disks(account),
    ]


def _node_disks(account: Account) -> list[Reasoned]:
    """Give access to the service roles that start nodes, whose own policies don't cover customer-managed keys.

    The roles are named in a condition rather than as principals, because KMS rejects a policy with a nonexistent
    principal, and in a new account, these roles are only created with the first Auto Scaling group and the first Spot
    request. Source, 2026-11-24:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    roles = {
        "aws:PrincipalArn": [
            account.arn("iam", f"role/aws-service-role/{role}", regional=False)
            for role in (
                "autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
                "spot.amazonaws.com/AWSServiceRoleForEC2Spot",
            )
        ]
    }
    return [
        (
            {
                "Sid": "NodeDisks",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": _USE,
                "Resource": "*",
                "Condition": {"ArnEquals": roles, "StringEquals": {"kms:CallerAccount": account.account_id}},
            },
            _THIS_KEY,
        ),
        (
            {
                "Sid": "NodeDiskGrants",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {
                    "ArnEquals": roles,
                    "StringEquals": {"kms:CallerAccount": account.account_id},
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                },
            },
            _THIS_KEY,
        ),
    ]
