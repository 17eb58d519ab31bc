"""Creates Azure resources like a beginner might, including some that block each other's deletion."""

import pulumi
from pulumi_azure_native import authorization, keyvault, managedidentity, network, provider, resources, storage

config = pulumi.Config()
subscription = "6f0c6f2e-9c1d-4d0c-8f7e-0a1b2c3d4e5f"
account = provider.Provider("account", subscription_id=subscription, location="westeurope")
options = pulumi.ResourceOptions(provider=account)
login = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(provider=account))

group = resources.ResourceGroup(
    "small", resource_group_name="small", tags={"about": config.require("about")}, opts=options
)
net = network.VirtualNetwork(
    "net",
    resource_group_name=group.name,
    virtual_network_name=config.require("network"),
    address_space=network.AddressSpaceArgs(address_prefixes=["10.0.0.0/20"]),
    opts=options,
)
address = network.PublicIPAddress(
    "out",
    resource_group_name=group.name,
    sku=network.PublicIPAddressSkuArgs(name="Standard"),
    public_ip_allocation_method="Static",
    opts=options,
)
gateway = network.NatGateway(
    "out",
    resource_group_name=group.name,
    sku=network.NatGatewaySkuArgs(name="Standard"),
    public_ip_addresses=[network.SubResourceArgs(id=address.id)],
    opts=options,
)
network.Subnet(
    "nodes",
    resource_group_name=group.name,
    virtual_network_name=net.name,
    subnet_name="nodes",
    address_prefix=config.require("cidr"),
    nat_gateway=network.SubResourceArgs(id=gateway.id),
    opts=options,
)
vault = keyvault.Vault(
    "small",
    resource_group_name=group.name,
    properties=keyvault.VaultPropertiesArgs(
        tenant_id=login.tenant_id,
        sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
        enable_rbac_authorization=True,
        enable_purge_protection=True,
        soft_delete_retention_in_days=7,
    ),
    opts=options,
)
key = keyvault.Key(
    "data",
    resource_group_name=group.name,
    vault_name=vault.name,
    key_name="data",
    properties=keyvault.KeyPropertiesArgs(kty="RSA", key_size=3072, key_ops=["wrapKey", "unwrapKey"]),
    opts=options,
)
reader = managedidentity.UserAssignedIdentity("reader", resource_group_name=group.name, opts=options)
right = authorization.RoleAssignment(
    "key",
    principal_id=reader.principal_id,
    principal_type="ServicePrincipal",
    role_definition_id=f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/"
    "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    scope=key.id,
    opts=options,
)
data = storage.StorageAccount(
    "data",
    resource_group_name=group.name,
    account_name=config.require("account"),
    kind="StorageV2",
    sku=storage.SkuArgs(name="Standard_LRS"),
    minimum_tls_version="TLS1_2",
    identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[reader.id]),
    encryption=storage.EncryptionArgs(
        key_source="Microsoft.Keyvault",
        key_vault_properties=storage.KeyVaultPropertiesArgs(
            key_name=key.name, key_vault_uri=vault.properties.apply(lambda each: each.vault_uri or "")
        ),
        encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=reader.id),
    ),
    tags={"owner": "platform"},
    opts=pulumi.ResourceOptions(provider=account, depends_on=[right]),
)
storage.BlobContainer("raw", resource_group_name=group.name, account_name=data.name, container_name="raw", opts=options)

pulumi.export("issuer", reader.client_id)
pulumi.export("network", net.id)
