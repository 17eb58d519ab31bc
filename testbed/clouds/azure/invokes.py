"""Provider functions (invokes) that programs call."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from typing import TypeAlias

from testbed.clouds.azure.api import Api, last, not_found
from testbed.clouds.azure.clusters import AUTHORITY, SERVER
from testbed.clouds.azure.network import CLUSTER, SUBNET
from testbed.clouds.azure.table import KINDS
from testbed.clouds.shared.values import Values

Invoke: TypeAlias = Callable[[Api, Values], Values]


def _client(api: Api, arguments: Values) -> Values:
    return {
        "clientId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "objectId": api.subscription["deployer"],
        "subscriptionId": api.account,
        "tenantId": api.tenant,
    }


def _credentials(api: Api, arguments: Values) -> Values:
    """Return Azure's kubeconfig, which requires an interactive login."""
    cluster, name = _existing(api, CLUSTER, arguments), str(arguments["resourceName"])
    login = {"command": "kubelogin", "args": ["get-token", "--login", "devicecode"]}
    config = {
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": os.environ.get(SERVER) or f"https://{cluster['fqdn']}:443",
                    "certificate-authority-data": os.environ.get(AUTHORITY) or "Y2VydGlmaWNhdGU=",
                },
            }
        ],
        "users": [{"name": name, "user": {"exec": login}}],
    }
    return {"kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(json.dumps(config).encode()).decode()}]}


def _cluster(api: Api, arguments: Values) -> Values:
    return _existing(api, CLUSTER, arguments)


def _subnet(api: Api, arguments: Values) -> Values:
    return _existing(api, SUBNET, arguments)


def _existing(api: Api, token: str, arguments: Values) -> Values:
    """Return a resource with its ID and name, like the API call that fetches its properties."""
    identifier = api.filled(KINDS[token].path, arguments)
    values = api.find(token, identifier)
    if values is None:
        raise not_found(identifier)
    return {**values, "id": identifier, "name": last(identifier)}


INVOKES: Mapping[str, Invoke] = {
    "azure-native:authorization:getClientConfig": _client,
    "azure-native:containerservice:getManagedCluster": _cluster,
    "azure-native:containerservice:listManagedClusterUserCredentials": _credentials,
    "azure-native:network:getSubnet": _subnet,
}
