"""The Google Cloud project and region for a program's resources."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp
from pulumi_gcp import organizations, projects

_LONGEST_ACCOUNT = 30
_HASH = 8


class Project(pulumi_gcp.Provider):
    """A project and region, with the default labels for its resources and the APIs they need.

    Pulumi's own Google credentials are used. Without `project_id`, the setting `gcp:project` names the project. APIs in
    `services` are enabled but never disabled, since others in the project may use them. Resources without other
    dependencies must wait for `ready`.
    """

    project_id: str
    region_name: str
    number: pulumi.Output[str]
    billing_account: pulumi.Output[str]
    common_labels: Mapping[str, str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        project_id: str = "",
        region: str,
        labels: Mapping[str, str],
        services: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        self.project_id = project_id or _configured()
        self.region_name = region
        # needed separately because default labels do not apply to disks, machines and databases
        self.common_labels = dict(labels)
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # the SDK leaves its own `__props__` untyped
            name,
            project=self.project_id,
            region=region,
            default_labels=dict(labels),
            # budgets and calls by a person have no project of their own: count them towards this project's quota
            billing_project=self.project_id,
            user_project_override=True,
            opts=opts,
        )
        self.ready = tuple(self._enable(service) for service in services)
        details = organizations.get_project_output(
            project_id=self.project_id, opts=pulumi.InvokeOutputOptions(provider=self, depends_on=list(self.ready))
        )
        self.number = details.number
        self.billing_account = details.billing_account

    def pods_of(self, namespace: str, service_account: str) -> pulumi.Output[str]:
        """Return the IAM member for a ServiceAccount's Pods, in any cluster of the project.

        Source: https://docs.cloud.google.com/kubernetes-engine/docs/concepts/workload-identity, 2026-11-25.
        """
        return pulumi.Output.concat(
            "principal://iam.googleapis.com/projects/",
            self.number,
            f"/locations/global/workloadIdentityPools/{self.workload_pool}",
            f"/subject/ns/{namespace}/sa/{service_account}",
        )

    @property
    def workload_pool(self) -> str:
        """Return the workload identity pool for all Pods in the project's clusters."""
        return f"{self.project_id}.svc.id.goog"

    def options(self, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """Return options for a component whose children are in this project."""
        return pulumi.ResourceOptions.merge(pulumi.ResourceOptions(providers=[self]), opts)

    def _enable(self, service: str) -> projects.Service:
        return projects.Service(
            f"{self._name}-{service.partition('.')[0]}",
            projects.ServiceArgs(service=service, disable_on_destroy=False),
            pulumi.ResourceOptions(parent=self, provider=self),
        )


def protected() -> bool:
    """Return whether `destroy` refuses to delete resources with data. Disabled by the `protect` stack setting."""
    return pulumi.Config().get_bool("protect") is not False


def account_id(name: str, use: str) -> str:
    """Return a service account ID with a readable prefix and a hash, as Google allows only 6 to 30 characters.

    Source: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create, 2026-11-27.
    """
    hashed = hashlib.sha256(f"{name}/{use}".encode()).hexdigest()[:_HASH]
    return f"{name[: _LONGEST_ACCOUNT - _HASH - 1].rstrip('-')}-{hashed}"


def _configured() -> str:
    project = pulumi.Config("gcp").get("project")
    if not project:
        raise pulumi.RunError("set the project: pulumi config set gcp:project PROJECT")
    return project
