"""All resource types that the stand-in supports."""

from __future__ import annotations

from collections.abc import Mapping

from testbed.clouds.azure import access, clusters, databases, keys, network, storage, watching
from testbed.clouds.azure.api import Api
from testbed.clouds.azure.kinds import Azure, Kind
from testbed.clouds.shared.record import Record

KINDS: Mapping[str, Kind] = {
    **access.KINDS,
    **keys.KINDS,
    **network.KINDS,
    **clusters.KINDS,
    **databases.KINDS,
    **storage.KINDS,
    **watching.KINDS,
}

CLOUD = Azure(KINDS)

RECORDS: Mapping[str, Record[Api]] = CLOUD.records()
