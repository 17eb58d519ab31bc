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
    """A customer-managed key in a key ring of its own, rotated every 90 days.

    Only the agents of `services` may use it: they encrypt and decrypt for whoever may open the resource. Losing the key
    means losing everything it encrypts, so it is protected, and `destroy` leaves it and its versions as they are: the
    backups of a database outlive the stack, and so does the right of Cloud SQL to read them. Google never deletes key
    rings; the ring's name gets a suffix, so that a later `up` makes another.
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
            raise pulumi.RunError(f"key {name}: it is not known who encrypts for {', '.join(unknown)}")
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
                deletion_policy="ABANDON",  # by default all versions are destroyed, and with them kept backups
            ),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.id, self.ring = key.id, ring.name
        self._grants = {service: self._grant(service) for service in services}
        self.register_outputs({"id": self.id})

    def granted(self, service: str) -> pulumi.Resource:
        """The right of a service's agent to use the key, for resources that cannot be created without it."""
        if service not in self._grants:
            raise pulumi.RunError(f"key {self.title}: {service} needs it and is not among its services")
        return self._grants[service]

    def _grant(self, service: str) -> kms.CryptoKeyIAMMember:
        return kms.CryptoKeyIAMMember(
            f"{self.title}-{service}",
            kms.CryptoKeyIAMMemberArgs(crypto_key_id=self.id, role=_USE, member=self._agent(service)),
            pulumi.ResourceOptions(parent=self, retain_on_delete=service == _BACKS_UP),
        )

    def _agent(self, service: str) -> pulumi.Output[str]:
        """The account with which a service works in this project, as an IAM member.

        Most exist only once somebody asks for them; that of Compute Engine is created with its API.
        Source: https://docs.cloud.google.com/iam/docs/service-agents, 2026-11-27.
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
    """Logging's answer has the prefix of a member in some versions of its API, and none in others."""
    return account if account.startswith("serviceAccount:") else f"serviceAccount:{account}"
