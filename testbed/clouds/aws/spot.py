"""Simulates the effect of the first Spot request in an account."""

from __future__ import annotations

from typing import Final

from testbed.clouds.aws.authorization.account import Account
from testbed.clouds.aws.authorization.decide import Principal, Request, decide
from testbed.clouds.shared.refusal import Refused

SERVICE: Final = "spot.amazonaws.com"
ROLE: Final = "AWSServiceRoleForEC2Spot"
_REFUSED: Final = (
    "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances."
)


def ask_for_spot(account: Account, role: str) -> None:
    """Create the Spot service-linked role if it's missing. Like EC2, refuse if `role` isn't allowed to create it.

    moto starts Spot instances in any account. Source: an EC2 response quoted in
    https://github.com/aws/karpenter-provider-aws, pull request 7998, read 2026-11-25.
    """
    iam = account.client("iam")
    if iam.list_roles(PathPrefix=f"/aws-service-role/{SERVICE}/")["Roles"]:  # moto gives this role another name
        return
    arn = f"arn:aws:iam::{account.number}:role/{role}"
    principal = Principal(arn, account.number, session=f"arn:aws:sts::{account.number}:assumed-role/{role}/spot")
    linked_role = f"arn:aws:iam::{account.number}:role/aws-service-role/{SERVICE}/{ROLE}"
    request = Request(principal, "iam:CreateServiceLinkedRole", linked_role, {"iam:AWSServiceName": (SERVICE,)})
    if not decide(request, account.policies_of(principal)).allowed:
        raise Refused("AuthFailure.ServiceLinkedRoleCreationNotPermitted", _REFUSED)
    iam.create_service_linked_role(AWSServiceName=SERVICE)
