"""Private PostgreSQL databases on Cloud SQL."""

from __future__ import annotations

import re

import pulumi
from pulumi_gcp import compute, sql

from .key import Key
from .network import AdoptedNetwork, Network
from .project import Project, protected

_PORT = 5432
_MOST_LOG_DAYS = 7
_CUSTOM = re.compile(r"db-custom-\d+-(\d+)")
_SHARED = {"db-f1-micro": 25, "db-g1-small": 50}
_CONNECTIONS = ((120, 1000), (60, 800), (30, 600), (15, 500), (7.5, 400), (6, 200), (0, 100))
"""The default `max_connections` of machines with at least this much memory in GiB.

Source: https://docs.cloud.google.com/sql/docs/postgres/flags, "max_connections", 2026-11-27.
"""

_FLAGS = {
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_temp_files": "0",
}


class Database(pulumi.ComponentResource):
    """A PostgreSQL database that only this project's network can reach, over TLS. No user has a password yet.

    `database` is the name of the database. The instance is named after this component, with a suffix because Google
    reserves a deleted instance's name for a week. `host` is the instance's address in the network, provided by Private
    Service Connect. `authority` is the PEM certificate of the authority that signs only for this instance, which
    clients must check. With `replicas`, a standby in a second zone can take over. The instance is protected. Deleting
    it leaves a final backup, and its other backups are kept. `connections` and `storage_gib` are its capacity.
    """

    host: pulumi.Output[str]
    authority: pulumi.Output[str]
    port: int
    name: str
    identifier: pulumi.Output[str]
    instance_id: pulumi.Output[str]
    storage_gib: int
    connections: int

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        key: Key,
        network: Network | AdoptedNetwork,
        database: str,
        storage_gib: int,
        machine: str,
        version: str,
        replicas: bool,
        backup_days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Database", name, None, project.options(opts))
        self.port, self.name, self.storage_gib = _PORT, database, storage_gib
        self.connections = connections(machine)
        self._project = project
        settings = sql.DatabaseInstanceSettingsArgs(
            tier=machine,
            # since PostgreSQL 16 the default is ENTERPRISE_PLUS, which has different machines
            edition="ENTERPRISE",
            availability_type="REGIONAL" if replicas else "ZONAL",
            disk_type="PD_SSD",
            disk_size=storage_gib,
            disk_autoresize=False,  # on by default, but disks never shrink again; an alarm reports a full disk
            deletion_protection_enabled=protected(),
            user_labels=dict(project.common_labels),
            insights_config=sql.DatabaseInstanceSettingsInsightsConfigArgs(query_insights_enabled=True),
            maintenance_window=sql.DatabaseInstanceSettingsMaintenanceWindowArgs(day=7, hour=4, update_track="stable"),
        )
        self._keep(settings, backup_days)
        self._close(settings)
        instance = sql.DatabaseInstance(
            name,
            sql.DatabaseInstanceArgs(
                database_version=version,
                region=project.region_name,
                encryption_key_name=key.id,  # cannot be changed later; by default Google's own key
                deletion_protection=protected(),
                settings=settings,
            ),
            pulumi.ResourceOptions(
                parent=self, depends_on=[*project.ready, key.granted("sqladmin")], protect=protected()
            ),
        )
        self.identifier = instance.name
        self.instance_id = pulumi.Output.concat(project.project_id, ":", instance.name)
        sql.Database(
            name,
            # PostgreSQL cannot delete a database with open connections; it is deleted with its protected instance
            sql.DatabaseArgs(instance=instance.name, name=database, deletion_policy="ABANDON"),
            pulumi.ResourceOptions(parent=self),
        )
        self.host = self._endpoint(name, network, instance)
        self.authority = self._authority(instance)
        self.register_outputs({"host": self.host, "identifier": self.identifier})

    def _keep(self, settings: sql.DatabaseInstanceSettingsArgs, backup_days: int) -> None:
        settings.backup_configuration = sql.DatabaseInstanceSettingsBackupConfigurationArgs(
            enabled=True,  # off by default
            start_time="02:00",
            location=self._project.region_name,  # by default the nearest multi-region, which may be in another country
            point_in_time_recovery_enabled=True,
            transaction_log_retention_days=min(backup_days, _MOST_LOG_DAYS),
            backup_retention_settings=sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
                retained_backups=backup_days, retention_unit="COUNT"
            ),
        )
        settings.retain_backups_on_delete = True
        settings.final_backup_config = sql.DatabaseInstanceSettingsFinalBackupConfigArgs(
            enabled=True, retention_days=backup_days
        )

    def _close(self, settings: sql.DatabaseInstanceSettingsArgs) -> None:
        settings.ip_configuration = sql.DatabaseInstanceSettingsIpConfigurationArgs(
            ipv4_enabled=False,  # by default the instance has a public address
            ssl_mode="ENCRYPTED_ONLY",
            server_ca_mode="GOOGLE_MANAGED_INTERNAL_CA",  # other authorities sign for a whole region
            psc_configs=[
                sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgs(
                    psc_enabled=True, allowed_consumer_projects=[self._project.project_id]
                )
            ],
        )
        settings.database_flags = [
            sql.DatabaseInstanceSettingsDatabaseFlagArgs(name=name, value=value) for name, value in _FLAGS.items()
        ]

    def _authority(self, instance: sql.DatabaseInstance) -> pulumi.Output[str]:
        """Return the PEM certificates, of which there are two while an administrator is replacing the authority."""
        options = pulumi.InvokeOutputOptions(provider=self._project, depends_on=[instance])
        authorities = sql.get_ca_certs_output(instance=instance.name, project=self._project.project_id, opts=options)
        return authorities.certs.apply(lambda certificates: "".join(f"{each.cert.strip()}\n" for each in certificates))

    def _endpoint(
        self, name: str, network: Network | AdoptedNetwork, instance: sql.DatabaseInstance
    ) -> pulumi.Output[str]:
        """Create the instance's address in the subnetwork.

        Unlike a peering with Google's network, it is deleted along with the instance and doesn't block deleting the
        network. Source: https://docs.cloud.google.com/sql/docs/postgres/configure-private-service-connect, 2026-11-27.
        """
        region, within = self._project.region_name, pulumi.ResourceOptions(parent=self)
        address = compute.Address(
            name,
            compute.AddressArgs(
                address_type="INTERNAL",
                region=region,
                subnetwork=network.subnetwork_id,
                labels=dict(self._project.common_labels),
            ),
            within,
        )
        compute.ForwardingRule(
            name,
            compute.ForwardingRuleArgs(
                region=region,
                network=network.network_id,
                ip_address=address.self_link,
                load_balancing_scheme="",  # endpoints have no scheme, but EXTERNAL is the default
                target=instance.psc_service_attachment_link,
            ),
            within,
        )
        return address.address


def connections(machine: str) -> int:
    """Return Cloud SQL's default connection limit on the given machine.

    Raises RunError if the machine's memory is unknown.
    """
    if machine in _SHARED:
        return _SHARED[machine]
    custom = _CUSTOM.fullmatch(machine)
    if custom is None:
        raise pulumi.RunError(f"{machine}: the memory of this machine is unknown")
    gib = int(custom[1]) / 1024
    return next(most for least, most in _CONNECTIONS if gib >= least)
