"""The provider plug-in for Google Cloud, which Pulumi's engine runs as `pulumi-resource-gcp`."""

from __future__ import annotations

import os
from pathlib import Path

from testbed.clouds.gcp.api import FOLDER, Api
from testbed.clouds.gcp.invokes import INVOKES
from testbed.clouds.gcp.lifecycle import GoogleLifecycle
from testbed.clouds.gcp.table import RECORDS
from testbed.clouds.shared.provider import serve
from testbed.clouds.shared.stand_in import StandIn


def connect(region: str) -> Api:
    """Connect to a region's API for the project specified in the environment."""
    return Api.at(Path(os.environ[FOLDER]), os.environ.get("GOOGLE_PROJECT", ""), region)


GCP: StandIn[Api] = StandIn(
    name="Google Cloud",
    version="10.2.0",
    region_variable="GOOGLE_REGION",
    records=RECORDS,
    invokes=INVOKES,
    connect=connect,
)

if __name__ == "__main__":
    serve(GCP, GoogleLifecycle(GCP, Path(os.environ[FOLDER])))
