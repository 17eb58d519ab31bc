"""The key that encrypts all data at rest."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import kms, logging, projects, storage

from .project import Project, protected

_ROTATION = f"{90 * 24 * 3600}s"
_USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_WITH_IDENTITY = frozenset({"artifactregistry", "container", "secretmanager", "sqladmin"})
_BACKS_UP = "sqladmin"
_SERVICES = frozenset({*_WITH_IDENTITY, "compute", "logging", "storage"})


class Key(pulumi.ComponentResource):
    """A customer-managed key in its own key ring, rotated every 90 days.

    Only the service agents of `services` may use it. They encrypt and decrypt data for everyone who has access to the
    resource. Losing the key means losing everything it encrypts, so it is protected. `destroy` leaves the key, its
    versions and Cloud SQL's access, since database backups outlive the stack. Google never deletes key rings, so the
    ring's name has a suffix, and a later `up` creates a new ring.
    """

    id: pulumi.Output[str]
    ring: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        services: Sequence[str] = ("storage",),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Key", name, None, project.options(opts))
        unknown = sorted(set(services) - _SERVICES)
        if unknown:
            raise pulumi.RunError(f"key {name}: the service agents of {', '.join(unknown)} are unknown")
        self.title = name
        self._project = project
        ring = kms.KeyRing(
            name,
            kms.KeyRingArgs(location=project.region_name),
            pulumi.ResourceOptions(parent=self, depends_on=list(project.ready), protect=protected()),
        )
        key = kms.CryptoKey(
            name,
            kms.CryptoKeyArgs(
                name=name,
                key_ring=ring.id,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=_ROTATION,
                deletion_policy="ABANDON",  # by default all versions are destroyed, which makes backups unreadable
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.id, self.ring = key.id, ring.name
        self._grants = {service: self._grant(service) for service in services}
        self.register_outputs({"id": self.id})

    def granted(self, service: str) -> pulumi.Resource:
        """Return a service agent's permission to use the key.

        Anything the service encrypts with the key must wait for this.
        """
        if service not in self._grants:
            raise pulumi.RunError(f"key {self.title}: {service} needs it, but is not among its services")
        return self._grants[service]

    def _grant(self, service: str) -> kms.CryptoKeyIAMMember:
        return kms.CryptoKeyIAMMember(
            f"{self.title}-{service}",
            kms.CryptoKeyIAMMemberArgs(crypto_key_id=self.id, role=_USE, member=self._agent(service)),
            pulumi.ResourceOptions(parent=self, retain_on_delete=service == _BACKS_UP),
        )

    def _agent(self, service: str) -> pulumi.Output[str]:
        """Return the service's agent in this project as an IAM member.

        Most agents are created on first request, but Compute Engine's is created when its API is enabled. Source:
        https://docs.cloud.google.com/iam/docs/service-agents, 2026-11-27.
        """
        project = self._project
        options = pulumi.InvokeOutputOptions(provider=project, depends_on=list(project.ready))
        if service == "storage":
            return storage.get_project_service_account_output(project=project.project_id, opts=options).member
        if service == "logging":
            settings = logging.get_project_cmek_settings_output(project=project.project_id, opts=options)
            return settings.service_account_id.apply(_as_member)
        if service == "compute":
            return pulumi.Output.concat(
                "serviceAccount:service-", project.number, "@compute-system.iam.gserviceaccount.com"
            )
        identity = projects.ServiceIdentity(
            f"{self.title}-{service}",
            projects.ServiceIdentityArgs(service=f"{service}.googleapis.com", project=project.project_id),
            pulumi.ResourceOptions(parent=self, depends_on=list(project.ready)),
        )
        return identity.member


def _as_member(account: str) -> str:
    """Add the prefix of an IAM member, which only some versions of the Logging API include."""
    return account if account.startswith("serviceAccount:") else f"serviceAccount:{account}"
