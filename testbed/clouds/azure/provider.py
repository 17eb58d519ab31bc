"""The provider plug-in for Azure, which Pulumi's engine runs as `pulumi-resource-azure-native`."""

from __future__ import annotations

import os
from pathlib import Path

from testbed.clouds.azure.api import FOLDER, Api
from testbed.clouds.azure.invokes import INVOKES
from testbed.clouds.azure.lifecycle import AzureLifecycle
from testbed.clouds.azure.table import RECORDS
from testbed.clouds.shared.provider import serve
from testbed.clouds.shared.stand_in import StandIn


def connect(region: str) -> Api:
    """Connect to a region's API using the subscription specified in the environment."""
    return Api.at(Path(os.environ[FOLDER]), os.environ.get("ARM_SUBSCRIPTION_ID", ""), region)


AZURE: StandIn[Api] = StandIn(
    name="Azure",
    version="3.29.0",
    region_variable="ARM_LOCATION_NAME",
    records=RECORDS,
    invokes=INVOKES,
    connect=connect,
)

if __name__ == "__main__":
    serve(AZURE, AzureLifecycle(AZURE, Path(os.environ[FOLDER])))
