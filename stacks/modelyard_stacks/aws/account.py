"""The AWS account and region that a program's resources go to."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws


class Account(pulumi_aws.Provider):
    """One account and region, with the tags that everything made in it carries.

    Credentials are those of whoever runs Pulumi. Where `account_id` is given, they have to be of that account: an `up`
    with the wrong profile ends before anything is made.
    """

    region_name: str
    account_id: pulumi.Output[str]
    partition: str
    dns_suffix: str
    common_tags: Mapping[str, str]

    def __init__(
        self,
        name: str,
        *,
        region: str,
        account_id: str | None = None,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves its own `__props__` untyped
            name,
            region=region,
            allowed_account_ids=[account_id] if account_id else None,
            default_tags=pulumi_aws.ProviderDefaultTagsArgs(tags=dict(tags)),
            opts=opts,
        )
        self.region_name = region
        self.partition, self.dns_suffix = _partition(region)
        # kept, because default tags do not reach what an Auto Scaling group launches
        self.common_tags = dict(tags)
        self.account_id = (
            pulumi.Output.from_input(account_id)
            if account_id
            else pulumi_aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=self)).account_id
        )

    def arn(self, service: str, resource: pulumi.Input[str], *, regional: bool = True) -> pulumi.Output[str]:
        """What policies call a resource of this account; `resource` is all that follows the account's id."""
        region = self.region_name if regional else ""
        return pulumi.Output.concat("arn:", self.partition, f":{service}:{region}:", self.account_id, ":", resource)

    def managed_policy(self, name: str) -> str:
        """The ARN of a policy that AWS keeps itself, such as `AmazonEKSClusterPolicy`."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def options(self, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """Options of a component whose children are to go to this account."""
        return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(providers=[self]), opts)


def protected() -> bool:
    """Whether `destroy` refuses what holds data: until the stack's setting `protect` is false."""
    return pulumi.Config().get_bool("protect") is not False


def _partition(region: str) -> tuple[str, str]:
    """China and GovCloud have partitions of their own, which every ARN names, and China its own domain.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, 2026-11-24.
    """
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"
