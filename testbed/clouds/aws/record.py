"""`Record`, which describes a resource type, with AWS's API as its type argument."""

from __future__ import annotations

from typing import TypeAlias

from testbed.clouds.aws.api import Api
from testbed.clouds.shared import record
from testbed.clouds.shared.record import Naming

__all__ = ["Delete", "Naming", "Record", "Rule", "Tag"]

Record: TypeAlias = record.Record[Api]
Rule: TypeAlias = record.Rule[Api]
Delete: TypeAlias = record.Delete[Api]
Tag: TypeAlias = record.Tag[Api]
