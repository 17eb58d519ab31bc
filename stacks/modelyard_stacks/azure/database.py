"""Private PostgreSQL databases on flexible servers."""

from __future__ import annotations

import re

import pulumi
from pulumi_azure_native import dbforpostgresql

from .endpoints import private_endpoint
from .existing import ClusterNetwork
from .group import ResourceGroup, protected
from .key import Key
from .login import DatabaseLogin
from .network import AdoptedNetwork, Network

_PORT = 5432
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{1,61}[a-z0-9])")
_MACHINE = re.compile(r"Standard_([BDE])(\d+)\w*")
_TIERS = {"B": "Burstable", "D": "GeneralPurpose", "E": "MemoryOptimized"}
_SMALL = {"Standard_B1ms": 50, "Standard_B2s": 429}
_OF_A_CORE = {"B": 429, "D": 429, "E": 859}
_MOST = 5000
"""The default `max_connections`, which depends on memory: machines have 4 or 8 GiB per core.

Source: https://learn.microsoft.com/en-us/azure/postgresql/flexible-server/concepts-limits, 2026-11-27.
"""

_PARAMETERS = {"log_checkpoints": "on", "log_connections": "on", "log_disconnections": "on", "log_lock_waits": "on"}
_SUNDAY, _HOUR = 0, 4


class Database(pulumi.ComponentResource):
    """A PostgreSQL database that is only reachable at a private endpoint in the network, over TLS, with `login`.

    `database` is the name of the database, and `server` the globally unique name of its server. The login's user is the
    server's administrator, since Azure creates no other user. With `replicas`, a standby can take over. It is in a
    second zone, or in the same zone if the stack setting `databaseZones` is false, for regions without zones. The
    server is protected. Deleting it deletes its backups. `connections` and `storage_gib` are its capacity.
    """

    host: pulumi.Output[str]
    port: int
    name: str
    id: pulumi.Output[str]
    storage_gib: int
    connections: int

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        key: Key,
        network: Network | AdoptedNetwork | ClusterNetwork,
        login: DatabaseLogin,
        server: str,
        database: str,
        storage_gib: int,
        machine: str,
        version: str,
        replicas: bool,
        backup_days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not _NAME.fullmatch(server):
            raise pulumi.RunError(
                f"database server {server}: a name must have 3 to 63 lower-case letters, digits or hyphens"
            )
        super().__init__("modelyard:azure:Database", name, None, group.options(opts))
        self.port, self.name, self.storage_gib = _PORT, database, storage_gib
        self.connections = connections(machine)
        self._title, self._group = name, group
        arguments = dbforpostgresql.ServerArgs(
            resource_group_name=group.group,
            location=group.region_name,
            server_name=server,
            create_mode="Default",
            version=version,
            sku=dbforpostgresql.SkuArgs(name=machine, tier=_TIERS[_family(machine)[0]]),
            storage=dbforpostgresql.StorageArgs(
                storage_size_gb=storage_gib,
                auto_grow="Disabled",  # a disk never shrinks again; an alarm reports when it is filling up
            ),
            high_availability=dbforpostgresql.HighAvailabilityArgs(mode=_standby(replicas)),
            backup=dbforpostgresql.BackupArgs(
                backup_retention_days=backup_days,
                geo_redundant_backup="Disabled",  # such backups leave the region
            ),
            maintenance_window=dbforpostgresql.MaintenanceWindowArgs(
                custom_window="Enabled", day_of_week=_SUNDAY, start_hour=_HOUR, start_minute=0
            ),
            network=dbforpostgresql.NetworkArgs(public_network_access="Disabled"),
            tags=group.common_tags,
        )
        _admit(arguments, login)
        _encrypt(arguments, key)
        created = dbforpostgresql.Server(
            name,
            arguments,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=list(key.ready),
                protect=protected(),
                # a failover swaps these zones
                ignore_changes=["availabilityZone", "highAvailability.standbyAvailabilityZone"],
            ),
        )
        self.id, self.host = created.id, created.fully_qualified_domain_name
        self._configure(created, database, network)
        self.register_outputs({"host": self.host})

    def _configure(
        self, server: dbforpostgresql.Server, database: str, network: Network | AdoptedNetwork | ClusterNetwork
    ) -> None:
        """Configure the server in sequence, since it refuses changes while it is busy with another one."""
        created: pulumi.Resource = dbforpostgresql.Database(
            self._title,
            dbforpostgresql.DatabaseArgs(
                resource_group_name=self._group.group,
                server_name=server.name,
                database_name=database,
                charset="UTF8",
                collation="en_US.utf8",
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        for parameter, value in _PARAMETERS.items():
            created = dbforpostgresql.Configuration(
                f"{self._title}-{parameter}",
                dbforpostgresql.ConfigurationArgs(
                    resource_group_name=self._group.group,
                    server_name=server.name,
                    configuration_name=parameter,
                    source="user-override",
                    value=value,
                ),
                pulumi.ResourceOptions(parent=self, depends_on=[created]),
            )
        private_endpoint(
            f"{self._title}-database",
            group=self._group,
            network=network,
            target=server.id,
            part="postgresqlServer",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[created]),
        )


def connections(machine: str) -> int:
    """Return the default connection limit of a server on the given machine.

    Raises RunError for machines that aren't available for servers.
    """
    if machine in _SMALL:
        return _SMALL[machine]
    letter, cores = _family(machine)
    return min(cores * _OF_A_CORE[letter], _MOST)


def _family(machine: str) -> tuple[str, int]:
    matched = _MACHINE.fullmatch(machine)
    if matched is None:
        raise pulumi.RunError(f"{machine} is not a machine for database servers, such as Standard_D2ds_v5")
    return matched[1], int(matched[2])


def _standby(replicas: bool) -> str:
    if not replicas:
        return "Disabled"
    return "SameZone" if pulumi.Config().get_bool("databaseZones") is False else "ZoneRedundant"


def _admit(arguments: dbforpostgresql.ServerArgs, login: DatabaseLogin) -> None:
    arguments.administrator_login = login.user
    arguments.administrator_login_password = login.password
    arguments.auth_config = dbforpostgresql.AuthConfigArgs(active_directory_auth="Disabled", password_auth="Enabled")


def _encrypt(arguments: dbforpostgresql.ServerArgs, key: Key) -> None:
    """Encrypt with our key instead of Azure's default key. This can't be changed after creation."""
    arguments.identity = dbforpostgresql.UserAssignedIdentityArgs(
        type="UserAssigned",
        user_assigned_identities=key.identity_id.apply(lambda identity: {identity: dbforpostgresql.UserIdentityArgs()}),
    )
    arguments.data_encryption = dbforpostgresql.DataEncryptionArgs(
        type="AzureKeyVault", primary_key_uri=key.uri, primary_user_assigned_identity_id=key.identity_id
    )
