"""Private PostgreSQL databases on RDS."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import ec2, rds, vpc
from pulumi_aws.rds.outputs import InstanceMasterUserSecret

from .account import Account, protected
from .cluster import Cluster
from .existing import ClusterNetwork, ExistingCluster
from .key import Key
from .logs import LogGroup
from .network import AdoptedNetwork, Network

_PORT = 5432
_USER = "dbadmin"  # `admin` is reserved by PostgreSQL, `rdsadmin` by RDS
_LOGS = ("postgresql", "upgrade")
_INSIGHTS_DAYS = 7  # the longest free retention
_LARGE_GIB = {"c": 4, "m": 8, "r": 16, "t": 8, "x": 32, "z": 16}
_LARGES = {"micro": 0.125, "small": 0.25, "medium": 0.5, "large": 1.0, "xlarge": 2.0}
_BYTES_A_CONNECTION = 9_531_392
_MOST_CONNECTIONS = 5000


class Database(pulumi.ComponentResource):
    """A PostgreSQL database that only the cluster can reach, over TLS.

    RDS stores its password in `secret_arn` and rotates it every week. Only readers of that secret can see the password.

    `name` is the name of the database, and `identifier` that of the RDS instance: `<cluster>-<component name>`, at most
    63 characters. With `replicas`, a standby in a second zone can take over. The instance is protected. Deleting it
    leaves a final snapshot, and its backups are kept. `connections` and `storage_gib` are its capacity.
    """

    host: pulumi.Output[str]
    port: int
    name: str
    identifier: pulumi.Output[str]
    secret_arn: pulumi.Output[str]
    storage_gib: int
    connections: int

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        network: Network | AdoptedNetwork | ClusterNetwork,
        cluster: Cluster | ExistingCluster,
        database: str,
        storage_gib: int,
        machine: str,
        version: str,
        replicas: bool,
        backup_days: int,
        log_days: int = 90,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Database", name, None, account.options(opts))
        self.port, self.name, self.storage_gib = _PORT, database, storage_gib
        self.connections = _connections(machine)
        self.identifier = pulumi.Output.concat(cluster.title, "-", name)
        subnets = rds.SubnetGroup(name, rds.SubnetGroupArgs(subnet_ids=network.subnet_ids), self._child())
        instance = rds.Instance(
            name,
            rds.InstanceArgs(
                identifier=self.identifier,
                engine="postgres",
                engine_version=version,
                auto_minor_version_upgrade=True,
                instance_class=machine,
                db_name=database,
                username=_USER,
                port=_PORT,
                # no password in the program or its state: RDS generates it, rotates it and stores it in Secrets Manager
                manage_master_user_password=True,
                master_user_secret_kms_key_id=key.arn,
                iam_database_authentication_enabled=True,
                allocated_storage=storage_gib,
                storage_type="gp3",
                storage_encrypted=True,  # off by default; cannot be changed later
                kms_key_id=key.arn,
                multi_az=replicas,
                backup_retention_period=backup_days,
                delete_automated_backups=False,
                copy_tags_to_snapshot=True,
                deletion_protection=protected(),  # off by default
                skip_final_snapshot=False,
                # `destroy` fails without a name, or if an earlier instance left a snapshot of that name: the subnet
                # group's name has a suffix that is unique in every stack
                final_snapshot_identifier=pulumi.Output.concat(subnets.name, "-final"),
                db_subnet_group_name=subnets.name,
                publicly_accessible=False,
                vpc_security_group_ids=[self._opening(name, network, cluster)],
                parameter_group_name=self._parameters(name, version),
                performance_insights_enabled=True,
                performance_insights_kms_key_id=key.arn,
                performance_insights_retention_period=_INSIGHTS_DAYS,
                enabled_cloudwatch_logs_exports=list(_LOGS),
            ),
            self._child(*self._logs(name, key, log_days), protect=protected()),
        )
        self.host = instance.address
        self.secret_arn = instance.master_user_secrets.apply(_secret_arn)
        self.register_outputs({"host": self.host, "secret_arn": self.secret_arn})

    def _opening(
        self, name: str, network: Network | AdoptedNetwork | ClusterNetwork, cluster: Cluster | ExistingCluster
    ) -> pulumi.Output[str]:
        """Create a security group that opens the port to the cluster's nodes and blocks outbound traffic."""
        group = ec2.SecurityGroup(
            name,
            # changing the description would replace the group
            ec2.SecurityGroupArgs(vpc_id=network.vpc_id, description="PostgreSQL, from the cluster only"),
            self._child(),
        )
        # rules must be separate resources: with inline rules, the provider would remove these
        vpc.SecurityGroupIngressRule(
            name,
            vpc.SecurityGroupIngressRuleArgs(
                security_group_id=group.id,
                referenced_security_group_id=cluster.security_group_id,
                ip_protocol="tcp",
                from_port=_PORT,
                to_port=_PORT,
                description="from the cluster",
            ),
            self._child(),
        )
        return group.id

    def _parameters(self, name: str, version: str) -> pulumi.Output[str]:
        settings = {"log_connections": "1", "log_disconnections": "1", "rds.force_ssl": "1"}
        group = rds.ParameterGroup(
            name,
            rds.ParameterGroupArgs(
                family=f"postgres{version.partition('.')[0]}",
                description=f"parameters of {name}",
                parameters=[rds.ParameterGroupParameterArgs(name=key, value=value) for key, value in settings.items()],
            ),
            self._child(),
        )
        return group.name

    def _logs(self, name: str, key: Key, log_days: int) -> list[pulumi.Resource]:
        """Create the log groups before RDS writes to them."""
        return [
            LogGroup(
                f"{name}-{log}",
                path=pulumi.Output.concat("/aws/rds/instance/", self.identifier, f"/{log}"),
                key=key,
                days=log_days,
                opts=self._child(),
            )
            for log in _LOGS
        ]

    def _child(self, *depends_on: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on), protect=protect)


def _secret_arn(secrets: Sequence[InstanceMasterUserSecret]) -> str:
    (secret,) = secrets
    if secret.secret_arn is None:
        raise pulumi.RunError("RDS has stored no password for this database")
    return secret.secret_arn


def _connections(machine: str) -> int:
    """Return the connection limit of an instance class such as `db.m7g.large`, which depends on its memory.

    Raises RunError if the class's memory size is unknown. Sources, 2026-11-24:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html,
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html.
    """
    _, _, sized = machine.partition(".")
    family, _, size = sized.partition(".")
    if size.removesuffix("xlarge").isdigit():
        larges: float | None = 2.0 * int(size.removesuffix("xlarge"))
    else:
        larges = _LARGES.get(size)
    gib = _LARGE_GIB.get(family[:1])
    if larges is None or gib is None:
        raise pulumi.RunError(f"{machine}: the memory of this machine is unknown")
    return min(int(gib * larges * 2**30) // _BYTES_A_CONNECTION, _MOST_CONNECTIONS)
