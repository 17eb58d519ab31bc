"""Workloads on clusters outside Google Cloud, which open buckets using a token signed by their own cluster."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_gcp import iam

from .identity import StoreAccess, open_buckets
from .project import Project

AUDIENCE = "sts.googleapis.com"
"""The audience of tokens for Google Cloud. By default, it would contain the number of the project."""

_PROVIDER = "cluster"
_LONGEST_DISPLAYED = 32
_LONGEST_POOL = 32


class TrustedIssuer(pulumi.ComponentResource):
    """A pool for the ServiceAccounts in one namespace of another cluster, whose issuer Google Cloud trusts.

    The pool is only for this cluster, since two clusters may have ServiceAccounts with the same names. Google reads the
    issuer's public keys over the internet, unless the stack setting `keys-NAME` contains them: the output of `kubectl
    get --raw /openid/v1/jwks`, where NAME is this component's name. A deleted pool reserves its ID for 30 days. A
    different number in the setting `poolNumber` generates new IDs. On its own, a pool grants nothing.

    `credentials` is the content of a file that Google's libraries use to exchange the token in `token_file`. It
    contains no secrets.
    """

    credentials: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        issuer: pulumi.Input[str],
        namespace: str,
        pool: str,
        token_file: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:TrustedIssuer", name, None, project.options(opts))
        self.title, self.project = name, project
        number = pulumi.Config().get_int("poolNumber") or 1
        self.pool = pool if number == 1 else f"{pool}-{number}"
        if len(self.pool) > _LONGEST_POOL:
            raise pulumi.RunError(f"{self.pool}: the ID of a pool can have at most {_LONGEST_POOL} characters")
        within = pulumi.ResourceOptions(parent=self, depends_on=list(project.ready))
        created = iam.WorkloadIdentityPool(
            name,
            iam.WorkloadIdentityPoolArgs(
                workload_identity_pool_id=self.pool,
                display_name=name[:_LONGEST_DISPLAYED],
                description=f"Namespace {namespace} on {name}",
            ),
            within,
        )
        provider = iam.WorkloadIdentityPoolProvider(
            name,
            iam.WorkloadIdentityPoolProviderArgs(
                workload_identity_pool_id=created.workload_identity_pool_id,
                workload_identity_pool_provider_id=_PROVIDER,
                display_name=name[:_LONGEST_DISPLAYED],
                # only the name, because the whole subject may exceed the 127 characters that Google allows
                attribute_mapping={"google.subject": "assertion['kubernetes.io']['serviceaccount']['name']"},
                attribute_condition=f"assertion.sub.startsWith('system:serviceaccount:{namespace}:')",
                oidc=iam.WorkloadIdentityPoolProviderOidcArgs(
                    issuer_uri=issuer,
                    allowed_audiences=[AUDIENCE],
                    jwks_json=pulumi.Config().get(f"keys-{name}"),
                ),
            ),
            within,
        )
        self.ready: tuple[pulumi.Resource, ...] = (created, provider)
        self.credentials = pulumi.Output.json_dumps(
            {
                "type": "external_account",
                "audience": pulumi.Output.concat("//iam.googleapis.com/", provider.name),
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": "https://sts.googleapis.com/v1/token",
                "credential_source": {"file": token_file},
            }
        )
        self.register_outputs({"credentials": self.credentials})

    def member(self, service_account: str) -> pulumi.Output[str]:
        """Return the IAM member for a ServiceAccount's Pods.

        Source: https://docs.cloud.google.com/iam/docs/principal-identifiers, 2026-11-27.
        """
        return pulumi.Output.concat(
            "principal://iam.googleapis.com/projects/",
            self.project.number,
            f"/locations/global/workloadIdentityPools/{self.pool}/subject/{service_account}",
        )


class TrustedIdentity(pulumi.ComponentResource):
    """The permissions of a workload on another cluster, i.e. bucket roles for its ServiceAccount's Pods."""

    member: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        issuer: TrustedIssuer,
        service_account: str,
        access: Sequence[StoreAccess],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:TrustedIdentity", name, None, issuer.project.options(opts))
        if not access:
            raise pulumi.RunError(f"{name}: an identity needs at least one permission")
        self.member = issuer.member(service_account)
        open_buckets(name, self.member, access, pulumi.ResourceOptions(parent=self, depends_on=list(issuer.ready)))
        self.register_outputs({"member": self.member})
