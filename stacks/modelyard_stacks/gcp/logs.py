"""Cluster logs, encrypted with our key and with limited retention."""

from __future__ import annotations

import pulumi
from pulumi_gcp import logging

from .key import Key
from .network import AdoptedNetwork, Network
from .project import Project


class ClusterLogs(pulumi.ComponentResource):
    """A log bucket in the region for a cluster and its network. Entries are kept for `days`.

    `name` is the cluster's name. Logs from the control plane, system Pods and network flows are stored there instead of
    in the project's `_Default` bucket. Google stores admin activity logs in `_Required`, where nobody can delete them
    for 400 days. Database logs stay in `_Default`.
    """

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        key: Key,
        network: Network | AdoptedNetwork,
        days: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:ClusterLogs", name, None, project.options(opts))
        bucket = logging.ProjectBucketConfig(
            name,
            logging.ProjectBucketConfigArgs(
                project=project.project_id,
                location=project.region_name,
                # a deleted bucket's ID is reserved for a week, so use the key ring's name, which is unique
                bucket_id=key.ring,
                description=f"Cluster {name} and its network",
                retention_days=days,
                cmek_settings=logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=key.id),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[key.granted("logging")]),
        )
        lines = _filter(name, network)
        sink = logging.ProjectSink(
            name,
            logging.ProjectSinkArgs(
                destination=pulumi.Output.concat("logging.googleapis.com/", bucket.id),
                description=f"Cluster {name} and its network",
                filter=lines,
                unique_writer_identity=True,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        logging.ProjectExclusion(
            name,
            logging.ProjectExclusionArgs(description=f"Kept in the bucket of cluster {name}", filter=lines),
            # until the sink exists, entries would be lost
            pulumi.ResourceOptions(parent=self, depends_on=[sink]),
        )
        self.register_outputs({})


def _filter(cluster: str, network: Network | AdoptedNetwork) -> pulumi.Output[str]:
    of_cluster = f'resource.labels.cluster_name="{cluster}"'
    if network.flows_of is None:
        return pulumi.Output.from_input(of_cluster)
    flows = 'log_id("compute.googleapis.com/vpc_flows") AND resource.labels.subnetwork_name='
    return pulumi.Output.concat(of_cluster, f" OR ({flows}", '"', network.flows_of, '")')
