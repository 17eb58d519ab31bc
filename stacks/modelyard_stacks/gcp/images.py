"""Container image repositories."""

from __future__ import annotations

import pulumi
from pulumi_gcp import artifactregistry

from .cluster import Cluster
from .existing import ExistingCluster
from .key import Key
from .project import Project, protected

_UNTAGGED_S = f"{14 * 24 * 3600}s"


class ImageRegistry(pulumi.ComponentResource):
    """An image repository with immutable tags, from which the cluster's nodes may pull.

    Untagged images are deleted after 14 days. `host` is the first part of an image name.
    """

    host: str

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        key: Key,
        cluster: Cluster | ExistingCluster,
        repository: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:ImageRegistry", name, None, project.options(opts))
        region = project.region_name
        created = artifactregistry.Repository(
            name,
            artifactregistry.RepositoryArgs(
                repository_id=repository,
                location=region,
                format="DOCKER",
                description=f"Images of {name}",
                kms_key_name=key.id,  # cannot be changed later; by default Google's own key
                docker_config=artifactregistry.RepositoryDockerConfigArgs(immutable_tags=True),  # off by default
                cleanup_policies=[_untagged()],
                cleanup_policy_dry_run=False,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[key.granted("artifactregistry")], protect=protected()),
        )
        artifactregistry.RepositoryIamMember(
            f"{name}-nodes",
            artifactregistry.RepositoryIamMemberArgs(
                repository=created.name,
                location=region,
                role="roles/artifactregistry.reader",
                member=pulumi.Output.concat("serviceAccount:", cluster.node_account),
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.host = f"{region}-docker.pkg.dev/{project.project_id}/{repository}"
        self.register_outputs({"host": self.host})


def _untagged() -> artifactregistry.RepositoryCleanupPolicyArgs:
    return artifactregistry.RepositoryCleanupPolicyArgs(
        id="untagged",
        action="DELETE",
        condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(tag_state="UNTAGGED", older_than=_UNTAGGED_S),
    )
