"""Encrypted log groups with limited retention."""

from __future__ import annotations

import pulumi
from pulumi_aws import cloudwatch

from .key import Key

_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""All retention periods, in days, that CloudWatch accepts.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html, 2026-11-24.
"""


class LogGroup(cloudwatch.LogGroup):
    """The log group at `path`, encrypted with the key.

    Lines are kept for `days`, rounded up to a period supported by CloudWatch. Create the group before the service that
    writes to it, since the service would otherwise create one that is unencrypted and never expires.
    """

    def __init__(
        self, name: str, *, path: pulumi.Input[str], key: Key, days: int, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves its own `__props__` untyped
            name, name=path, kms_key_id=key.arn, retention_in_days=retention_days(days), opts=opts
        )


def retention_days(days: int) -> int:
    """Return CloudWatch's shortest retention period of at least `days` days. Raises ValueError beyond ten years."""
    for possible in _RETENTION_DAYS:
        if possible >= days:
            return possible
    raise ValueError(f"CloudWatch keeps logs for at most {_RETENTION_DAYS[-1]} days, not {days}")
