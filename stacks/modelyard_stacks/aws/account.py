"""The AWS account and region for a program's resources."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws


class Account(pulumi_aws.Provider):
    """An account and region, with the default tags for its resources.

    Pulumi's own AWS credentials are used. If `account_id` is set, they must belong to that account, so that `up` with
    the wrong profile fails before creating anything.
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
        # needed separately because default tags do not apply to what an Auto Scaling group launches
        self.common_tags = dict(tags)
        self.account_id = (
            pulumi.Output.from_input(account_id)
            if account_id
            else pulumi_aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=self)).account_id
        )

    def arn(self, service: str, resource: pulumi.Input[str], *, regional: bool = True) -> pulumi.Output[str]:
        """Return the ARN of a resource in this account. `resource` is the part following the account ID."""
        region = self.region_name if regional else ""
        return pulumi.Output.concat("arn:", self.partition, f":{service}:{region}:", self.account_id, ":", resource)

    def managed_policy(self, name: str) -> str:
        """Return the ARN of an AWS managed policy, such as `AmazonEKSClusterPolicy`."""
        return f"arn:{self.partition}:iam::aws:policy/{name}"

    def options(self, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """Return options for a component whose children are in this account."""
        return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(providers=[self]), opts)


def protected() -> bool:
    """Return whether `destroy` refuses to delete resources with data. Disabled by the `protect` stack setting."""
    return pulumi.Config().get_bool("protect") is not False


def _partition(region: str) -> tuple[str, str]:
    """Return the partition and DNS suffix of a region. The partition is part of every ARN.

    China and GovCloud have their own partitions, and China also has its own domain. Source:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, 2026-11-24.
    """
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"
