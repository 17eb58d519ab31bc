"""Workloads on clusters outside AWS, which assume a role using a token signed by their own cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pulumi
from pulumi_aws import iam

from .account import Account
from .identity import StoreAccess, store_statements
from .policies import document, role_prefix, web_identity_trust

AUDIENCE = "sts.amazonaws.com"
"""The audience of tokens for AWS.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html, 2026-11-27.
"""


class TrustedIssuer(pulumi.ComponentResource):
    """The issuer of another cluster's ServiceAccount tokens. AWS reads its keys over the internet.

    An account can have each issuer only once. If another program has already created this one, list its name in the
    stack setting `existingIssuers`. The existing issuer is then used and left unchanged. On its own, an issuer grants
    nothing.
    """

    arn: pulumi.Output[str]
    host: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        issuer: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:TrustedIssuer", name, None, account.options(opts))
        self.title, self.account = name, account
        url = pulumi.Output.from_input(issuer)
        self.host = url.apply(_without_scheme)
        if name in _existing():
            self.arn = account.arn("iam", pulumi.Output.concat("oidc-provider/", self.host), regional=False)
        else:
            provider = iam.OpenIdConnectProvider(
                name,
                iam.OpenIdConnectProviderArgs(url=url, client_id_lists=[AUDIENCE], tags={"modelyard:cluster": name}),
                pulumi.ResourceOptions(parent=self),
            )
            self.arn = provider.arn
        self.register_outputs({"arn": self.arn})


class TrustedIdentity(pulumi.ComponentResource):
    """The role of a workload on another cluster, which only Pods of its ServiceAccount can assume."""

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        issuer: TrustedIssuer,
        namespace: str,
        service_account: str,
        access: Sequence[StoreAccess],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:TrustedIdentity", name, None, issuer.account.options(opts))
        if not access:
            raise pulumi.RunError(f"{name}: a role needs at least one permission")
        within = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            name,
            iam.RoleArgs(
                name_prefix=role_prefix(issuer.title, service_account),
                description=f"Pods of {namespace}/{service_account} on {issuer.title}",
                assume_role_policy=web_identity_trust(
                    issuer.arn,
                    issuer.host,
                    audience=AUDIENCE,
                    subject=f"system:serviceaccount:{namespace}:{service_account}",
                ),
                tags={"modelyard:workload": name},
            ),
            within,
        )
        rights = iam.RolePolicy(
            name,
            iam.RolePolicyArgs(role=role.name, policy=document(*store_statements(issuer.account, access))),
            within,
        )
        # anything that depends on the role's ARN then also waits for its permissions
        self.role_arn = pulumi.Output.all(role.arn, rights.id).apply(lambda resolved: str(resolved[0]))
        self.register_outputs({"role_arn": self.role_arn})


def _existing() -> list[str]:
    """Return the `existingIssuers` setting. Raises RunError if it isn't a list of names."""
    value: object = pulumi.Config().get_object("existingIssuers")
    if value is None:
        return []
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = [item for item in items if isinstance(item, str)]
    if len(texts) != len(items):
        raise pulumi.RunError(
            "the setting existingIssuers is a list: pulumi config set --path 'existingIssuers[0]' NAME"
        )
    return texts


def _without_scheme(url: str) -> str:
    if not url.startswith("https://"):
        raise pulumi.RunError(f"{url}: an issuer needs an https address")
    return url.removeprefix("https://")  # a trailing slash is part of the name; issuers of AKS have one
