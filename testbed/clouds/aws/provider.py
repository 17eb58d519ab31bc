"""The AWS provider plug-in, which Pulumi's engine runs as `pulumi-resource-aws`."""

from __future__ import annotations

import os
from pathlib import Path

from testbed.clouds.aws.api import FOLDER, Api
from testbed.clouds.aws.invokes import INVOKES
from testbed.clouds.aws.own import OWN
from testbed.clouds.aws.table import RECORDS
from testbed.clouds.shared.lifecycle import Lifecycle
from testbed.clouds.shared.provider import serve
from testbed.clouds.shared.stand_in import StandIn


def connect(region: str) -> Api:
    """Connect to the API in a region. The API's address is in the environment."""
    return Api.from_environment(region, OWN)


AWS: StandIn[Api] = StandIn(
    name="AWS",
    version="7.51.1",
    region_variable="AWS_REGION",
    records=RECORDS,
    invokes=INVOKES,
    connect=connect,
)

if __name__ == "__main__":
    serve(AWS, Lifecycle(AWS, Path(os.environ[FOLDER])))
