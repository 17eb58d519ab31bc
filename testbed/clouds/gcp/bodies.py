"""Lists the API and the request body for each Google resource, and names changed by the provider.

Based on the discovery documents and the provider's documentation, 2026-11-27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Renames: TypeAlias = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Body:
    """The schema of a resource in a discovery document, and how a registration differs from it.

    `schema` is empty for resources without a body. `renames` maps paths in a registration to paths in the API's body,
    relative to the same object, or to None if the value is in the request's path or isn't sent. `values` are values
    converted by the provider. `lists` are single values that become lists in the API. `elsewhere` are required paths
    added by the provider or set by other requests.
    """

    document: str
    schema: str
    method: str = ""
    auto_named: bool = False
    renames: Renames = field(default_factory=dict[str, "str | None"])
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    lists: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()


def _compute(schema: str, plural: str, renames: Renames | None = None) -> Body:
    """Return the body of a call to Compute Engine, whose documents list the methods requiring a property."""
    return Body("compute.v1", schema, f"compute.{plural}.insert", auto_named=True, renames=renames or {})


def _member(*in_path: str) -> Body:
    """Return the body for a policy binding member, which is the same for all services."""
    renames: dict[str, str | None] = {"member": "members", **dict.fromkeys(in_path)}
    return Body("cloudresourcemanager.v3", "Binding", renames=renames, lists=frozenset({"member"}))


_SWITCH: Mapping[str, Any] = {"TRUE": True, "FALSE": False}

_NODE: Renames = {
    "nodeConfig.guestAccelerators": "accelerators",
    "nodeConfig.guestAccelerators.type": "acceleratorType",
    "nodeConfig.guestAccelerators.count": "acceleratorCount",
}

_CLUSTER: Renames = {
    "addonsConfig.rayOperatorConfigs": "rayOperatorConfig",
    "datapathProvider": "networkConfig.datapathProvider",
    "defaultMaxPodsPerNode": "defaultMaxPodsConstraint.maxPodsPerNode",
    "deletionProtection": None,
    "dnsConfig": "networkConfig.dnsConfig",
    "enableIntranodeVisibility": "networkConfig.enableIntraNodeVisibility",
    "enableLegacyAbac": "legacyAbac.enabled",
    "enableShieldedNodes": "shieldedNodes.enabled",
    "gatewayApiConfig": "networkConfig.gatewayApiConfig",
    "initialNodeCount": None,  # in the pool that the provider creates from it
    "location": None,
    "loggingConfig.enableComponents": "componentConfig.enableComponents",
    "maintenancePolicy.recurringWindow": "window.recurringWindow",
    "maintenancePolicy.recurringWindow.endTime": "window.endTime",
    "maintenancePolicy.recurringWindow.startTime": "window.startTime",
    "masterAuthorizedNetworksConfig": "controlPlaneEndpointsConfig.ipEndpointsConfig.authorizedNetworksConfig",
    "minMasterVersion": "initialClusterVersion",
    "monitoringConfig.enableComponents": "componentConfig.enableComponents",
    "monitoringConfig.managedPrometheus": "managedPrometheusConfig",
    "networkingMode": None,  # selects whether ipAllocationPolicy is used
    "nodeConfig": None,  # belongs to the removed default pool, and is checked as part of NODE_POOL
    "nodeLocations": "locations",
    "nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": (
        "nodeKubeletConfig.insecureKubeletReadonlyPortEnabled"
    ),
    "privateClusterConfig": None,  # networkConfig.defaultEnablePrivateNodes, and the negation of …enablePublicEndpoint
    "removeDefaultNodePool": None,
}

_INSTANCE: Renames = {
    "deletionProtection": None,
    "encryptionKeyName": "diskEncryptionConfiguration.kmsKeyName",
    "settings.diskAutoresize": "storageAutoResize",
    "settings.diskSize": "dataDiskSizeGb",
    "settings.diskType": "dataDiskType",
    "settings.ipConfiguration.pscConfigs": "pscConfig",
}

_BUCKET: Renames = {
    "forceDestroy": None,
    "lifecycleRules": "lifecycle.rule",
    "lifecycleRules.condition.matchesPrefixes": "matchesPrefix",
    "lifecycleRules.condition.withState": "isLive",
    "publicAccessPrevention": "iamConfiguration.publicAccessPrevention",
    "uniformBucketLevelAccess": "iamConfiguration.uniformBucketLevelAccess.enabled",
}

BODIES: Mapping[str, Body] = {
    "gcp:artifactregistry/repository:Repository": Body(
        "artifactregistry.v1",
        "Repository",
        renames={"location": None, "repositoryId": None, "cleanupPolicies": "cleanupPolicies.untagged"},
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _member("repository", "location"),
    "gcp:billing/budget:Budget": Body(
        "billingbudgets.v1",
        "GoogleCloudBillingBudgetsV1Budget",
        renames={"billingAccount": None, "allUpdatesRule": "notificationsRule"},
        lists=frozenset({"budgetFilter.labels.modelyard-system"}),
    ),
    "gcp:compute/address:Address": _compute("Address", "addresses", {"region": None}),
    "gcp:compute/firewall:Firewall": _compute(
        "Firewall", "firewalls", {"denies": "denied", "denies.protocol": "IPProtocol"}
    ),
    "gcp:compute/forwardingRule:ForwardingRule": _compute(
        "ForwardingRule", "forwardingRules", {"ipAddress": "IPAddress", "loadBalancingScheme": None, "region": None}
    ),
    "gcp:compute/network:Network": _compute(
        "Network", "networks", {"deleteDefaultRoutesOnCreate": None, "routingMode": "routingConfig.routingMode"}
    ),
    "gcp:compute/router:Router": _compute("Router", "routers"),
    "gcp:compute/routerNat:RouterNat": _compute("RouterNat", "routers", {"router": None, "region": None}),
    "gcp:compute/subnetwork:Subnetwork": _compute("Subnetwork", "subnetworks"),
    "gcp:container/cluster:Cluster": Body(
        "container.v1",
        "Cluster",
        renames=_CLUSTER,
        values={"nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": _SWITCH},
    ),
    "gcp:container/nodePool:NodePool": Body(
        "container.v1",
        "NodePool",
        renames={
            **_NODE,
            "cluster": None,
            "ignoreNodeCountChanges": None,
            "location": None,
            "nodeConfig": "config",
            "nodeLocations": "locations",
        },
        values={"nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled": _SWITCH},
    ),
    "gcp:dns/managedZone:ManagedZone": Body("dns.v1", "ManagedZone", auto_named=True),
    "gcp:dns/recordSet:RecordSet": Body("dns.v1", "ResourceRecordSet", renames={"managedZone": None}),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": Body(
        "iam.v1", "WorkloadIdentityPool", renames={"workloadIdentityPoolId": None}
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": Body(
        "iam.v1",
        "WorkloadIdentityPoolProvider",
        renames={"workloadIdentityPoolId": None, "workloadIdentityPoolProviderId": None},
    ),
    "gcp:kms/cryptoKey:CryptoKey": Body(
        "cloudkms.v1", "CryptoKey", renames={"deletionPolicy": None, "keyRing": None, "name": None}
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _member("cryptoKeyId"),
    "gcp:kms/keyRing:KeyRing": Body("cloudkms.v1", "KeyRing", renames={"location": None, "name": None}),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": Body(
        "logging.v2", "LogBucket", renames={"bucketId": None, "location": None, "project": None}
    ),
    "gcp:logging/projectExclusion:ProjectExclusion": Body("logging.v2", "LogExclusion", auto_named=True),
    "gcp:logging/projectSink:ProjectSink": Body(
        "logging.v2", "LogSink", auto_named=True, renames={"uniqueWriterIdentity": None}
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": Body("monitoring.v3", "AlertPolicy"),
    "gcp:monitoring/notificationChannel:NotificationChannel": Body("monitoring.v3", "NotificationChannel"),
    "gcp:projects/iAMMember:IAMMember": _member("project"),
    "gcp:projects/service:Service": Body("", ""),
    "gcp:projects/serviceIdentity:ServiceIdentity": Body("", ""),
    "gcp:secretmanager/secret:Secret": Body(
        "secretmanager.v1", "Secret", renames={"secretId": None, "replication.auto": "automatic"}
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _member("project", "secretId"),
    "gcp:secretmanager/secretVersion:SecretVersion": Body(
        "secretmanager.v1", "AddSecretVersionRequest", renames={"secret": None, "secretData": "payload.data"}
    ),
    "gcp:serviceaccount/account:Account": Body(
        "iam.v1", "CreateServiceAccountRequest", renames={"displayName": "serviceAccount.displayName"}
    ),
    "gcp:sql/database:Database": Body("sqladmin.v1", "Database", renames={"deletionPolicy": None}),
    "gcp:sql/databaseInstance:DatabaseInstance": Body(
        "sqladmin.v1", "DatabaseInstance", auto_named=True, renames=_INSTANCE
    ),
    "gcp:sql/user:User": Body("sqladmin.v1", "User", renames={"deletionPolicy": None}),
    "gcp:storage/bucket:Bucket": Body(
        "storage.v1",
        "Bucket",
        "storage.buckets.insert",
        renames=_BUCKET,
        values={"lifecycleRules.condition.withState": {"LIVE": True, "ARCHIVED": False}},
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _member("bucket"),
}
"""The request body for each type in Pulumi's registrations."""
