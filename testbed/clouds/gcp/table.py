"""All resource types that the stand-in supports."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.gcp import access, clusters, databases, domains, federation, network, pools, storage, watching
from testbed.clouds.gcp.api import Api
from testbed.clouds.gcp.kinds import Google, Kind
from testbed.clouds.shared.record import Record

KINDS: Mapping[str, Kind] = {
    **access.KINDS,
    **federation.KINDS,
    **network.KINDS,
    **domains.KINDS,
    **clusters.KINDS,
    **pools.KINDS,
    **databases.KINDS,
    **storage.KINDS,
    **watching.KINDS,
}

CLOUD = Google(KINDS)

RECORDS: Mapping[str, Record[Api]] = CLOUD.records()
