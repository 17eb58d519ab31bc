"""The infrastructure of the example `hello` on Azure, written by hand with plain pulumi-azure-native.

It does the same as the emitted program: a virtual network with NAT and private endpoints, AKS with node pools for the
system, training and serving, keys for encryption at rest, a storage account, a PostgreSQL server, an image registry, an
identity for each workload, logs and alarms. Where there are alternatives, it uses whichever has the fewest resources
without weakening access control or encryption, with these exceptions:

- Subnets are resources instead of properties of the network, because only then can each be protected and referred to.
- Each subnet has its own security group, because people open ports for one subnet and not for all.
- Blobs have custom roles, because Azure's built-in role for writing blobs may also delete the container.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

import pulumi
import pulumi_azure_native as azure
import yaml

REGION = "germanywestcentral"
NAME = "hello-azure-main"
NAMESPACE = "hello"
ACCOUNT = "helloazurelake7c20f3d1a5"
CONTAINER = "hello-azure-lake"
REGISTRY = "helloazuremain91b3c7f20e"
TAGS = {
    "modelyard-system": "hello",
    "modelyard-environment": "azure",
    "modelyard-target": "main",
    "modelyard-owner": "growth",
}
LOG_DAYS = 30
EMAIL = "growth@acme.example"
PROTECT = pulumi.Config().get_bool("protect") is not False
SUBSCRIPTION = pulumi.Config("azure-native").require("subscriptionId")
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{NAME}"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"

provider = azure.Provider("main", subscription_id=SUBSCRIPTION, location=REGION)
here = pulumi.ResourceOptions(provider=provider)
lasting = pulumi.ResourceOptions(provider=provider, protect=PROTECT)
asking = pulumi.InvokeOutputOptions(provider=provider)
login = azure.authorization.get_client_config_output(opts=asking)
created_group = azure.resources.ResourceGroup(
    "main", resource_group_name=NAME, location=REGION, tags=TAGS, opts=lasting
)
group = created_group.name


def after(*resources: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(provider=provider, depends_on=list(resources), protect=protect)


def identity(name: str, opts: pulumi.ResourceOptions = here) -> azure.managedidentity.UserAssignedIdentity:
    return azure.managedidentity.UserAssignedIdentity(
        name, resource_group_name=group, location=REGION, tags=TAGS, opts=opts
    )


def assign(
    name: str,
    role: str,
    principal: pulumi.Input[str],
    scope: pulumi.Input[str],
    condition: str | None = None,
    opts: pulumi.ResourceOptions = here,
) -> azure.authorization.RoleAssignment:
    return azure.authorization.RoleAssignment(
        name,
        principal_id=principal,
        principal_type="ServicePrincipal",
        role_definition_id=f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        scope=scope,
        condition=condition,
        condition_version="2.0" if condition else None,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


# ---- the keys


def vault(name: str, kept_days: int) -> azure.keyvault.Vault:
    return azure.keyvault.Vault(
        name,
        resource_group_name=group,
        location=REGION,
        properties={
            "tenant_id": login.tenant_id,
            "sku": {"family": "A", "name": azure.keyvault.SkuName.STANDARD},
            "enable_rbac_authorization": True,
            "enable_soft_delete": True,
            "enable_purge_protection": True,
            "soft_delete_retention_in_days": kept_days,
            "public_network_access": "disabled",
            "network_acls": {"bypass": "AzureServices", "default_action": "Deny"},
        },
        tags=TAGS,
        opts=lasting,
    )


key_vault = vault("hello-az-keys", 90)


def key(name: str, operations: Sequence[str], *, rotated: bool) -> azure.keyvault.Key:
    rotation: azure.keyvault.RotationPolicyArgsDict = {
        "lifetime_actions": [
            {
                "action": {"type": azure.keyvault.KeyRotationPolicyActionType.ROTATE},
                "trigger": {"time_after_create": "P90D"},
            }
        ]
    }
    return azure.keyvault.Key(
        name,
        resource_group_name=group,
        vault_name=key_vault.name,
        key_name=name,
        properties={
            "kty": "RSA",
            "key_size": 3072,
            "key_ops": list(operations),
            "rotation_policy": rotation if rotated else None,
        },
        tags=TAGS,
        opts=pulumi.ResourceOptions(provider=provider, protect=PROTECT, retain_on_delete=True),
    )


data_key = key(f"{NAME}-data", ["wrapKey", "unwrapKey"], rotated=True)
secrets_key = key(f"{NAME}-secrets", ["encrypt", "decrypt"], rotated=False)
data_user = identity(f"{NAME}-data", lasting)
uses_key = assign(
    f"{NAME}-data", "e147488a-f6f5-4113-8e2d-b22465e65bf6", data_user.principal_id, data_key.id
)  # Key Vault Crypto Service Encryption User
disks = azure.compute.DiskEncryptionSet(
    NAME,
    resource_group_name=group,
    location=REGION,
    encryption_type="EncryptionAtRestWithCustomerKey",
    active_key={"key_url": data_key.key_uri, "source_vault": {"id": key_vault.id}},
    rotation_to_latest_key_version_enabled=True,
    identity={"type": "UserAssigned", "user_assigned_identities": [data_user.id]},
    tags=TAGS,
    opts=after(uses_key, protect=PROTECT),
)

# ---- the network

network = azure.network.VirtualNetwork(
    NAME,
    resource_group_name=group,
    location=REGION,
    virtual_network_name=NAME,
    address_space={"address_prefixes": ["10.0.0.0/18", "10.0.64.0/19"]},
    tags=TAGS,
    opts=lasting,
)
address = azure.network.PublicIPAddress(
    NAME,
    resource_group_name=group,
    location=REGION,
    sku={"name": "Standard"},
    public_ip_allocation_method="Static",
    public_ip_address_version="IPv4",
    tags=TAGS,
    opts=here,
)
nat = azure.network.NatGateway(
    NAME,
    resource_group_name=group,
    location=REGION,
    sku={"name": "Standard"},
    public_ip_addresses=[{"id": address.id}],
    tags=TAGS,
    opts=here,
)


def rule(
    name: str, priority: int, source: str, ports: Sequence[str], *, access: str = "Allow"
) -> azure.network.SecurityRuleArgsDict:
    return {
        "name": name,
        "priority": priority,
        "access": access,
        "direction": "Inbound",
        "protocol": "*" if list(ports) == ["*"] else "Tcp",
        "source_address_prefix": source,
        "source_port_range": "*",
        "destination_address_prefix": "*",
        "destination_port_ranges": list(ports),
    }


def subnet(
    name: str,
    block: str,
    rules: Sequence[azure.network.SecurityRuleArgsDict],
    *before: pulumi.Resource,
    outbound: azure.network.NatGateway | None = None,
    delegated: str = "",
) -> azure.network.Subnet:
    security = azure.network.NetworkSecurityGroup(
        f"{NAME}-{name}", resource_group_name=group, location=REGION, security_rules=list(rules), tags=TAGS, opts=here
    )
    return azure.network.Subnet(
        f"{NAME}-{name}",
        resource_group_name=group,
        virtual_network_name=network.name,
        subnet_name=name,
        address_prefix=block,
        default_outbound_access=False,
        private_endpoint_network_policies="Enabled",
        nat_gateway={"id": outbound.id} if outbound is not None else None,
        network_security_group={"id": security.id},
        delegations=[{"name": "aks", "service_name": delegated}] if delegated else [],
        opts=after(*before, protect=PROTECT),
    )


closed = rule("deny-others", 4096, "VirtualNetwork", ["*"], access="Deny")
nodes = subnet("nodes", "10.0.0.0/18", [], outbound=nat)
endpoints = subnet(
    "endpoints", "10.0.64.0/20", [rule("allow-nodes", 100, "10.0.0.0/18", ["443", "5432"]), closed], nodes
)
api_server = subnet(
    "api-server",
    "10.0.80.0/20",
    [
        rule("allow-nodes", 100, "10.0.0.0/18", ["443", "4443"]),
        rule("allow-itself", 120, "10.0.80.0/20", ["*"]),
        rule("allow-probes", 130, "AzureLoadBalancer", ["9988"]),
        closed,
    ],
    endpoints,
    delegated="Microsoft.ContainerService/managedClusters",
)
zones: dict[str, azure.privatedns.PrivateZone] = {}
links: list[pulumi.Resource] = []
for part, domain in (
    ("blob", "privatelink.blob.core.windows.net"),
    ("postgresqlServer", "privatelink.postgres.database.azure.com"),
    ("registry", "privatelink.azurecr.io"),
    ("vault", "privatelink.vaultcore.azure.net"),
):
    zones[part] = azure.privatedns.PrivateZone(
        f"{NAME}-{part}", resource_group_name=group, private_zone_name=domain, location="Global", tags=TAGS, opts=here
    )
    links.append(
        azure.privatedns.VirtualNetworkLink(
            f"{NAME}-{part}",
            resource_group_name=group,
            private_zone_name=zones[part].name,
            virtual_network_link_name=NAME,
            location="Global",
            virtual_network={"id": network.id},
            registration_enabled=False,
            resolution_policy="NxDomainRedirect",
            tags=TAGS,
            opts=here,
        )
    )


def private_endpoint(name: str, target: pulumi.Input[str], part: str, opts: pulumi.ResourceOptions = here) -> None:
    endpoint = azure.network.PrivateEndpoint(
        name,
        resource_group_name=group,
        location=REGION,
        subnet={"id": endpoints.id},
        private_link_service_connections=[{"name": part, "private_link_service_id": target, "group_ids": [part]}],
        tags=TAGS,
        opts=after(endpoints, *links),
    )
    azure.network.PrivateDnsZoneGroup(
        name,
        resource_group_name=group,
        private_endpoint_name=endpoint.name,
        private_dns_zone_group_name="default",
        private_dns_zone_configs=[{"name": part.lower(), "private_dns_zone_id": zones[part].id}],
        opts=opts,
    )


# ---- the cluster

control_plane = identity(f"{NAME}-control-plane")
kubelet = identity(f"{NAME}-nodes")
rights = [
    assign(f"{NAME}-{use}", role, control_plane.principal_id, scope)
    for use, role, scope in (
        ("subnet", "4d97b98b-1d4f-4787-a291-c67834d212e7", nodes.id),  # Network Contributor
        ("api-subnet", "4d97b98b-1d4f-4787-a291-c67834d212e7", api_server.id),
        ("kubelet", "f1a07417-d97a-45cb-824c-7a7467783830", kubelet.id),  # Managed Identity Operator
        ("disks", "136d308c-0937-4a49-9bd7-edfb42adbffc", disks.id),  # Data Operator for Managed Disks
        ("secrets", "12338af0-0e69-4776-bea7-57ae8d297424", secrets_key.id),  # Key Vault Crypto User
        ("vault", "f25e0fa2-a7c8-4377-a976-54943a77a395", key_vault.id),  # Key Vault Contributor
    )
]
cluster = azure.containerservice.ManagedCluster(
    NAME,
    resource_name_=NAME,
    resource_group_name=group,
    location=REGION,
    dns_prefix=NAME,
    node_resource_group=f"{NAME}-nodes",
    node_resource_group_profile={"restriction_level": "ReadOnly"},
    kubernetes_version="1.36",
    sku={"name": "Base", "tier": "Standard"},
    support_plan="KubernetesOfficial",
    auto_upgrade_profile={"upgrade_channel": "patch", "node_os_upgrade_channel": "NodeImage"},
    agent_pool_profiles=[
        {
            "name": "aks",
            "mode": "System",
            "type": "VirtualMachineScaleSets",
            "orchestrator_version": "1.36",
            "vm_size": "Standard_D2s_v5",
            "count": 2,
            "enable_auto_scaling": True,
            "min_count": 2,
            "max_count": 4,
            "max_pods": 64,
            "node_taints": ["CriticalAddonsOnly=true:NoSchedule"],
            "os_type": "Linux",
            "os_sku": "Ubuntu",
            "os_disk_type": "Managed",
            "os_disk_size_gb": 64,
            "enable_node_public_ip": False,
            "vnet_subnet_id": nodes.id,
            "upgrade_settings": {"max_surge": "1", "max_unavailable": "0"},
            "tags": TAGS,
        }
    ],
    auto_scaler_profile={
        "expander": "priority",
        "skip_nodes_with_local_storage": "false",
        "skip_nodes_with_system_pods": "true",
        "balance_similar_node_groups": "false",
        "max_node_provision_time": "25m",
        "max_graceful_termination_sec": "600",
        "scale_down_unneeded_time": "10m",
    },
    identity={
        "type": azure.containerservice.ResourceIdentityType.USER_ASSIGNED,
        "user_assigned_identities": [control_plane.id],
    },
    identity_profile={
        "kubeletidentity": azure.containerservice.UserAssignedIdentityArgs(
            resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
        )
    },
    network_profile={
        "network_plugin": "azure",
        "network_plugin_mode": "overlay",
        "network_dataplane": "cilium",
        "network_policy": "cilium",
        "pod_cidr": "10.0.128.0/17",
        "service_cidr": "10.0.96.0/19",
        "dns_service_ip": "10.0.96.10",
        "load_balancer_sku": "standard",
        "outbound_type": "userAssignedNATGateway",
        "ip_families": ["IPv4"],
    },
    api_server_access_profile={
        "enable_vnet_integration": True,
        "subnet_id": api_server.id,
        "enable_private_cluster": True,
        "enable_private_cluster_public_fqdn": False,
        "private_dns_zone": "system",
        "disable_run_command": True,
    },
    enable_rbac=True,
    disable_local_accounts=True,
    aad_profile={"managed": True, "enable_azure_rbac": True, "tenant_id": login.tenant_id},
    oidc_issuer_profile={"enabled": True},
    security_profile={
        "workload_identity": {"enabled": True},
        "azure_key_vault_kms": {
            "enabled": True,
            "key_id": secrets_key.key_uri_with_version,
            "key_vault_network_access": "Private",
            "key_vault_resource_id": key_vault.id,
        },
        "image_cleaner": {"enabled": True, "interval_hours": 168},
    },
    disk_encryption_set_id=disks.id,
    storage_profile={
        "disk_csi_driver": {"enabled": True},
        "file_csi_driver": {"enabled": False},
        "blob_csi_driver": {"enabled": False},
        "snapshot_controller": {"enabled": True},
    },
    tags=TAGS,
    opts=pulumi.ResourceOptions(
        provider=provider,
        depends_on=[*rights, nodes, endpoints, api_server, *links],
        protect=PROTECT,
        ignore_changes=["agentPoolProfiles[0].count"],
    ),
)
issuer = cluster.oidc_issuer_profile.apply(lambda profile: (profile.issuer_url if profile else None) or "")
for schedule in ("aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"):
    azure.containerservice.MaintenanceConfiguration(
        f"{NAME}-{schedule}",
        resource_group_name=group,
        resource_name_=cluster.name,
        config_name=schedule,
        maintenance_window={
            "schedule": {"weekly": {"day_of_week": "Saturday", "interval_weeks": 1}},
            "start_time": "00:00",
            "duration_hours": 8,
            "utc_offset": "+00:00",
        },
        opts=here,
    )
for use, role in (
    ("admin", "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"),  # Azure Kubernetes Service RBAC Cluster Admin
    ("user", "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"),  # Azure Kubernetes Service Cluster User
):
    azure.authorization.RoleAssignment(
        f"{NAME}-deployer-{use}",
        principal_id=login.object_id,
        role_definition_id=f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        scope=cluster.id,
        opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["principalId"], delete_before_replace=True),
    )


def node_pool(
    agent_pool: str, pool: str, machine: str, min_nodes: int, max_nodes: int, *, tainted: bool = True
) -> None:
    azure.containerservice.AgentPool(
        pool,
        resource_group_name=group,
        resource_name_=cluster.name,
        agent_pool_name=agent_pool,
        mode="User",
        type="VirtualMachineScaleSets",
        orchestrator_version="1.36",
        vm_size=machine,
        count=min_nodes,
        enable_auto_scaling=True,
        min_count=min_nodes,
        max_count=max_nodes,
        max_pods=64,
        node_labels={"modelyard.dev/pool": pool, "modelyard.dev/capacity": "on-demand"},
        node_taints=[f"modelyard.dev/pool={pool}:NoSchedule"] if tainted else [],
        os_type="Linux",
        os_sku="Ubuntu",
        os_disk_type="Managed",
        os_disk_size_gb=100,
        enable_node_public_ip=False,
        vnet_subnet_id=nodes.id,
        scale_set_priority="Regular",
        upgrade_settings={"max_surge": "1", "max_unavailable": "0"},
        tags=TAGS,
        opts=pulumi.ResourceOptions(
            provider=provider, depends_on=[disks, *links], delete_before_replace=True, ignore_changes=["count"]
        ),
    )


node_pool("system", "system", "Standard_D2as_v6", 2, 5, tainted=False)
node_pool("train", "pipelines-train", "Standard_D4as_v6", 0, 1)
node_pool("churn", "inference-churn", "Standard_F2s_v2", 1, 2)

# ---- the store

account = azure.storage.StorageAccount(
    "lake",
    resource_group_name=group,
    location=REGION,
    account_name=ACCOUNT,
    kind="StorageV2",
    sku={"name": "Standard_LRS"},
    access_tier=azure.storage.AccessTier.HOT,
    is_hns_enabled=False,
    minimum_tls_version="TLS1_2",
    enable_https_traffic_only=True,
    allow_shared_key_access=False,
    default_to_o_auth_authentication=True,
    allow_blob_public_access=False,
    allow_cross_tenant_replication=False,
    allowed_copy_scope="AAD",
    public_network_access="Disabled",
    network_rule_set={"default_action": azure.storage.DefaultAction.DENY, "bypass": "None"},
    identity={"type": "UserAssigned", "user_assigned_identities": [data_user.id]},
    encryption={
        "key_source": "Microsoft.Keyvault",
        "key_vault_properties": {
            "key_name": data_key.name,
            "key_vault_uri": key_vault.properties.apply(lambda properties: properties.vault_uri or ""),
        },
        "encryption_identity": {"encryption_user_assigned_identity": data_user.id},
        "require_infrastructure_encryption": True,
        "services": {
            "blob": {"enabled": True, "key_type": "Account"},
            "file": {"enabled": True, "key_type": "Account"},
        },
    },
    tags=TAGS,
    opts=after(uses_key, protect=PROTECT),
)
blobs = azure.storage.BlobServiceProperties(
    "lake",
    resource_group_name=group,
    account_name=account.name,
    blob_services_name="default",
    is_versioning_enabled=True,
    delete_retention_policy={"enabled": True, "days": 30},
    container_delete_retention_policy={"enabled": True, "days": 7},
    opts=here,
)
lake = azure.storage.BlobContainer(
    "lake",
    resource_group_name=group,
    account_name=account.name,
    container_name=CONTAINER,
    public_access=azure.storage.PublicAccess.NONE,
    opts=after(blobs, protect=PROTECT),
)


def lifecycle(
    name: str, folder: str, actions: azure.storage.ManagementPolicyActionArgsDict
) -> azure.storage.ManagementPolicyRuleArgsDict:
    return {
        "name": name,
        "enabled": True,
        "type": "Lifecycle",
        "definition": {
            "filters": {"prefix_match": [f"{CONTAINER}/{folder}"], "blob_types": ["blockBlob"]},
            "actions": actions,
        },
    }


azure.storage.ManagementPolicy(
    "lake",
    resource_group_name=group,
    account_name=account.name,
    management_policy_name="default",
    policy={
        "rules": [
            lifecycle("logs", "mlflow/logs/", {"base_blob": {"delete": {"days_after_modification_greater_than": 90}}}),
            lifecycle("versions", "", {"version": {"delete": {"days_after_creation_greater_than": 30}}}),
        ]
    },
    opts=after(blobs),
)
private_endpoint("lake-blob", account.id, "blob")

# ---- the secrets vault and the registry's database

secret_vault = vault("hello-az-secrets", 7)
private_endpoint(f"{NAME}-secrets", secret_vault.id, "vault")
stash = pulumi.Stash(
    "runs",
    input=pulumi.Output.secret(secrets.token_urlsafe(32)),
    opts=pulumi.ResourceOptions(ignore_changes=["input"]),
)
password: pulumi.Output[str] = pulumi.Output.secret(cast("Any", stash.output))


def login_of(text: str) -> str:
    return json.dumps({"username": "modelyard", "password": text})


database_login = azure.keyvault.Secret(
    "runs",
    resource_group_name=group,
    vault_name=secret_vault.name,
    secret_name="runs-login",
    properties={"value": password.apply(login_of)},
    tags=TAGS,
    opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=True),
)
server = azure.dbforpostgresql.Server(
    "runs",
    resource_group_name=group,
    location=REGION,
    server_name=f"{NAME}-runs-3b8e51c0",
    create_mode="Default",
    version="17",
    sku={"name": "Standard_B2s", "tier": "Burstable"},
    storage={"storage_size_gb": 32, "auto_grow": "Disabled"},
    high_availability={"mode": "Disabled"},
    backup={"backup_retention_days": 7, "geo_redundant_backup": "Disabled"},
    maintenance_window={"custom_window": "Enabled", "day_of_week": 0, "start_hour": 4, "start_minute": 0},
    network={"public_network_access": "Disabled"},
    administrator_login="modelyard",
    administrator_login_password=password,
    auth_config={"active_directory_auth": "Disabled", "password_auth": "Enabled"},
    identity=azure.dbforpostgresql.UserAssignedIdentityArgs(
        type="UserAssigned",
        user_assigned_identities=data_user.id.apply(lambda name: {name: azure.dbforpostgresql.UserIdentityArgs()}),
    ),
    data_encryption={
        "type": "AzureKeyVault",
        "primary_key_uri": data_key.key_uri,
        "primary_user_assigned_identity_id": data_user.id,
    },
    tags=TAGS,
    opts=pulumi.ResourceOptions(
        provider=provider,
        depends_on=[uses_key],
        protect=PROTECT,
        ignore_changes=["availabilityZone", "highAvailability.standbyAvailabilityZone"],
    ),
)
busy: pulumi.Resource = azure.dbforpostgresql.Database(
    "runs",
    resource_group_name=group,
    server_name=server.name,
    database_name="runs",
    charset="UTF8",
    collation="en_US.utf8",
    opts=lasting,
)
for parameter in ("log_checkpoints", "log_connections", "log_disconnections", "log_lock_waits"):
    busy = azure.dbforpostgresql.Configuration(
        f"runs-{parameter}",
        resource_group_name=group,
        server_name=server.name,
        configuration_name=parameter,
        source="user-override",
        value="on",
        opts=after(busy),
    )
private_endpoint("runs-database", server.id, "postgresqlServer", after(busy))

# ---- images

images = azure.containerregistry.Registry(
    NAME,
    resource_group_name=group,
    location=REGION,
    registry_name=REGISTRY,
    sku={"name": "Premium"},
    admin_user_enabled=False,
    anonymous_pull_enabled=False,
    public_network_access="Disabled",
    network_rule_bypass_options="AzureServices",
    network_rule_set={"default_action": "Deny"},
    policies={"retention_policy": {"days": 14, "status": "enabled"}},
    tags=TAGS,
    opts=lasting,
)
private_endpoint(f"{NAME}-images", images.id, "registry")
assign(f"{NAME}-images", "7f951dda-4ed3-4680-a7ca-43fe172d538d", kubelet.principal_id, images.id)  # AcrPull

# ---- an identity for each workload

actions = {
    "read": [f"{BLOBS}/read"],
    "write": [f"{BLOBS}/read", f"{BLOBS}/write", f"{BLOBS}/add/action", f"{BLOBS}/delete"],
    "append": [f"{BLOBS}/add/action"],
}
roles = {mode: str(uuid5(NAMESPACE_URL, f"{GROUP}/{mode}")) for mode in actions}
defined = [
    azure.authorization.RoleDefinition(
        f"{NAME}-{mode}",
        role_definition_id=roles[mode],
        role_name=f"{NAME} {mode} blobs",
        role_type="CustomRole",
        scope=created_group.id,
        assignable_scopes=[created_group.id],
        permissions=[{"actions": [], "data_actions": allowed}],
        opts=here,
    )
    for mode, allowed in actions.items()
]


def pod_identity(name: str, namespace: str, service_account: str) -> azure.managedidentity.UserAssignedIdentity:
    user = identity(name)
    azure.managedidentity.FederatedIdentityCredential(
        name,
        resource_group_name=group,
        resource_name_=user.name,
        federated_identity_credential_resource_name=service_account,
        issuer=issuer,
        subject=f"system:serviceaccount:{namespace}:{service_account}",
        audiences=["api://AzureADTokenExchange"],
        opts=here,
    )
    return user


def only_in(folder: str, mode: str) -> str:
    """Return a condition that limits a mode's actions to a folder, which listings must use as their prefix."""
    listing = "SubOperationMatches{'Blob.List'}"
    matches = [
        f"!(ActionMatches{{'{action}'}}{f' AND NOT {listing}' if action.endswith('/read') else ''})"
        for action in actions[mode]
    ]
    paths = f"@Resource[{BLOBS}:path] ForAnyOfAnyValues:StringLike {{'{folder}', '{folder}/*'}}"
    condition = f"(({' AND '.join(matches)}) OR ({paths}))"
    if mode == "append":
        return condition
    prefixes = f"@Request[{BLOBS}:prefix] ForAnyOfAnyValues:StringLike {{'{folder}/', '{folder}/*'}}"
    return f"{condition} AND ((!(ActionMatches{{'{BLOBS}/read'}} AND {listing})) OR ({prefixes}))"


def workload(name: str, **folders: str) -> azure.managedidentity.UserAssignedIdentity:
    user = pod_identity(name, NAMESPACE, name)
    for mode, folder in folders.items():
        scope = (
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}/blobServices/default/containers/{CONTAINER}"
        )
        assign(f"{name}-{mode}", roles[mode], user.principal_id, scope, only_in(folder, mode), after(lake, *defined))
    return user


registry = workload("registry", write="mlflow")
train = workload("train", read="subscribers", write="mlflow/models/hello-churn", append="mlflow/logs/train")
churn = workload("churn", read="mlflow/models/hello-churn")
promoter = workload("promoter", read="mlflow/models")
secrets_reader = pod_identity(f"{NAME}-secrets", "external-secrets", "external-secrets")
assign(
    f"{NAME}-secrets-runs",
    "4633458b-17de-408a-b874-0445c86b69e6",  # Key Vault Secrets User
    secrets_reader.principal_id,
    pulumi.Output.concat(secret_vault.id, "/secrets/", database_login.name),
)

# ---- logs and alarms

workspace = azure.operationalinsights.Workspace(
    NAME,
    resource_group_name=group,
    location=REGION,
    sku={"name": "PerGB2018"},
    retention_in_days=LOG_DAYS,
    features={"disable_local_auth": True},
    tags=TAGS,
    opts=here,
)
for name, resource, categories in (
    (
        NAME,
        cluster.id,
        [
            "kube-audit-admin",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "cluster-autoscaler",
            "guard",
        ],
    ),
    ("runs", server.id, ["PostgreSQLLogs"]),
):
    azure.monitor.DiagnosticSetting(
        f"{name}-logs",
        resource_uri=resource,
        name="logs",
        workspace_id=workspace.id,
        log_analytics_destination_type="Dedicated",
        logs=[{"category": category, "enabled": True} for category in categories],
        opts=here,
    )
receivers = azure.monitor.ActionGroup(
    NAME,
    resource_group_name=group,
    location="Global",
    group_short_name="hello-az",
    enabled=True,
    email_receivers=[{"name": EMAIL, "email_address": EMAIL, "use_common_alert_schema": True}],
    tags=TAGS,
    opts=here,
)


def alarm(
    name: str,
    description: str,
    resource: pulumi.Input[str],
    metric: str,
    operator: str,
    threshold: int,
    aggregation: str,
    dimensions: Sequence[azure.monitor.MetricDimensionArgsDict] = (),
) -> None:
    azure.monitor.MetricAlert(
        name,
        resource_group_name=group,
        location="Global",
        description=description,
        severity=1,
        enabled=True,
        scopes=[resource],
        evaluation_frequency="PT5M",
        window_size="PT15M",
        criteria={
            "odata_type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            "all_of": [
                {
                    "criterion_type": "StaticThresholdCriterion",
                    "name": metric,
                    "metric_name": metric,
                    "operator": operator,
                    "threshold": threshold,
                    "time_aggregation": aggregation,
                    "dimensions": list(dimensions),
                }
            ],
        },
        actions=[{"action_group_id": receivers.id}],
        tags=TAGS,
        opts=here,
    )


for what, metric, limit in (
    ("storage", "storage_percent", 85),
    ("cpu", "cpu_percent", 80),
    ("connections", "active_connections", 343),
):
    alarm(
        f"runs-{what}",
        f"database runs: {metric} has exceeded its limit",
        server.id,
        metric,
        "GreaterThan",
        limit,
        "Average",
    )
alarm("runs-down", "database runs: it does not respond", server.id, "is_db_alive", "LessThan", 1, "Maximum")
alarm(
    f"{NAME}-nat",
    "the NAT gateway has no free port for another connection",
    nat.id,
    "SNATConnectionCount",
    "GreaterThan",
    0,
    "Total",
    [{"name": "ConnectionState", "operator": "Include", "values": ["Failed"]}],
)

# ---- what the workloads need


def with_login(encoded: str) -> str:
    """Keep the address and certificate authority of Azure's kubeconfig, but log in non-interactively using `az`."""
    clusters = yaml.safe_load(base64.b64decode(encoded))["clusters"]
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", "azurecli", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630"],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": clusters[0]["cluster"]}],
            "users": [{"name": NAME, "user": {"exec": execute}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
            "current-context": NAME,
        }
    )


kubeconfigs = azure.containerservice.list_managed_cluster_user_credentials_output(
    resource_group_name=group,
    resource_name=cluster.name,
    opts=pulumi.InvokeOutputOptions(provider=provider, depends_on=[cluster]),
).kubeconfigs
pulumi.export("kubeconfig", kubeconfigs.apply(lambda configs: with_login(configs[0].value)))
pulumi.export("cluster_name", cluster.name)
pulumi.export("issuer", issuer)
pulumi.export("region", REGION)
pulumi.export("group", NAME)
pulumi.export("tenant", login.tenant_id)
pulumi.export("storage_ranges", "10.0.64.0/20")
pulumi.export("image_registry", f"{REGISTRY}.azurecr.io")
pulumi.export("vault", secret_vault.name)
pulumi.export("vault_url", secret_vault.properties.apply(lambda properties: properties.vault_uri or ""))
pulumi.export("external_secrets_client_id", secrets_reader.client_id)
pulumi.export("runs_host", server.fully_qualified_domain_name)
pulumi.export("runs_port", 5432)
pulumi.export("runs_secret", database_login.name)
pulumi.export("registry_client_id", registry.client_id)
pulumi.export("train_client_id", train.client_id)
pulumi.export("churn_client_id", churn.client_id)
pulumi.export("promoter_client_id", promoter.client_id)
