"""The supported condition keys. Policies using any other key can't be evaluated.

Sources, 2026-11-25: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and, for
each service, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import re
from typing import Final

from testbed.clouds.aws.authorization.language import NotEvaluated

_KNOWN: Final = frozenset(
    each.lower()
    for each in (
        "aws:CalledVia",
        "aws:CurrentTime",
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalOrgID",
        "aws:PrincipalServiceName",
        "aws:PrincipalType",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "aws:SecureTransport",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceIp",
        "aws:SourceVpc",
        "aws:SourceVpce",
        "aws:TagKeys",
        "aws:ViaAWSService",
        "aws:VpcSourceIp",
        "ec2:CreateAction",
        "iam:AWSServiceName",
        "iam:PassedToService",
        "kms:CallerAccount",
        "kms:GrantIsForAWSResource",
        "kms:ViaService",
        "s3:delimiter",
        "s3:max-keys",
        "s3:prefix",
        "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    )
)
_FAMILIES: Final = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/", "kms:encryptioncontext:")
"""Prefixes of condition keys that end with a name chosen by the caller."""

_OF_AN_ISSUER: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/[^:]*)?:(aud|sub)")
"""Condition keys of a web identity: the token's issuer without `https://`, and a claim in the token."""


def check_key(key: str) -> None:
    """Raise NotEvaluated for an unsupported condition key."""
    name = key.lower()
    of_service = name in _KNOWN or any(name.startswith(family) and name != family for family in _FAMILIES)
    if not of_service and not _OF_AN_ISSUER.fullmatch(name):
        raise NotEvaluated(f"condition key {key}")
