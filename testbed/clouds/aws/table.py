"""All resource types that the stand-in supports."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.aws import (
    databases,
    eks,
    firewalls,
    iam,
    images,
    keys,
    launch,
    messages,
    network,
    routes,
    secrets,
    storage,
    watching,
)
from testbed.clouds.aws.record import Record

RECORDS: Mapping[str, Record] = {
    **network.RECORDS,
    **routes.RECORDS,
    **firewalls.RECORDS,
    **iam.RECORDS,
    **keys.RECORDS,
    **storage.RECORDS,
    **images.RECORDS,
    **databases.RECORDS,
    **eks.RECORDS,
    **launch.RECORDS,
    **watching.RECORDS,
    **messages.RECORDS,
    **secrets.RECORDS,
}
