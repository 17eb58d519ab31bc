"""Cluster access: administrators and a kubeconfig."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import cast

import pulumi
import yaml
from pulumi_azure_native import authorization, containerservice

from .group import ResourceGroup
from .roles import CLUSTER_ADMIN, CLUSTER_USER
from .settings import listed

_MEMBER = re.compile(r"(group|user|servicePrincipal):([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})")
_KINDS = {"group": "Group", "user": "User", "servicePrincipal": "ServicePrincipal"}
_AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The Entra ID application for which the tokens of all clusters are issued.

Source: https://azure.github.io/kubelogin/concepts/aks.html, 2026-11-27.
"""

_LOGINS = ("azurecli", "azd", "msi", "spn", "workloadidentity", "devicecode", "interactive")


def administrators(
    name: str, *, group: ResourceGroup, cluster_id: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Make the members in the stack setting `admins` administrators of this cluster only.

    Without the setting, the login that runs Pulumi when the cluster is created becomes an administrator, since
    otherwise not even owners of the subscription could do anything in the cluster. This doesn't change if another login
    runs Pulumi later.
    """
    members = admins()
    for kind, member in members:
        _administrator(f"{name}-{member}", group, cluster_id, member, _KINDS[kind], opts)
    if not members:
        deployer_opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["principalId"]))
        _administrator(f"{name}-deployer", group, cluster_id, group.login_id, None, deployer_opts)


def admins() -> list[tuple[str, str]]:
    """Return the `admins` setting as kinds and object IDs. Raises RunError if any member has a different form."""
    members = listed("admins", "group:00000000-0000-0000-0000-000000000000")
    matched = [_MEMBER.fullmatch(member) for member in members]
    if not all(matched):
        raise pulumi.RunError(
            "the setting admins must be object IDs of Entra ID, as group:ID, user:ID or servicePrincipal:ID, not "
            + ", ".join(members)
        )
    return [(match[1], match[2]) for match in matched if match is not None]


def kubeconfig(
    name: str,
    group: ResourceGroup,
    *,
    resource_group: pulumi.Input[str],
    cluster_name: pulumi.Input[str],
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Output[str]:
    """Build a kubeconfig without secrets, which calls kubelogin for short-lived tokens using Pulumi's own login."""
    login = way_to_log_in()
    answer = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=resource_group,
        resource_name=cluster_name,
        opts=pulumi.InvokeOutputOptions(provider=group, depends_on=list(depends_on)),
    )
    return answer.kubeconfigs.apply(lambda configs: _with_login(name, configs[0].value, login))


def way_to_log_in() -> str:
    """Return the `login` setting, i.e.

    kubelogin's login method, e.g. `workloadidentity` in pipelines instead of `az`.
    """
    login = pulumi.Config().get("login") or "azurecli"
    if login not in _LOGINS:
        raise pulumi.RunError(f"the setting login must be one of {', '.join(_LOGINS)}, not {login}")
    return login


def _with_login(name: str, encoded: str, login: str) -> str:
    """Keep the address and certificate authority of Azure's kubeconfig, but not the login, which always prompts."""
    config: object = yaml.safe_load(base64.b64decode(encoded))
    clusters = cast("dict[str, list[dict[str, dict[str, str]]]]", config)["clusters"]
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", login, "--server-id", _AKS],
        "installHint": "https://azure.github.io/kubelogin/install.html",
        "interactiveMode": "IfAvailable" if login in {"devicecode", "interactive"} else "Never",
        "provideClusterInfo": False,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": clusters[0]["cluster"]}],
            "users": [{"name": name, "user": {"exec": execute}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _administrator(
    title: str,
    group: ResourceGroup,
    cluster_id: pulumi.Input[str],
    principal: pulumi.Input[str],
    kind: str | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Assign one role that gives access to the Kubernetes API, and another for the kubeconfig."""
    for use, role in (("admin", CLUSTER_ADMIN), ("user", CLUSTER_USER)):
        authorization.RoleAssignment(
            f"{title}-{use}",
            authorization.RoleAssignmentArgs(
                principal_id=principal,
                principal_type=kind,
                role_definition_id=group.role_id(role),
                scope=cluster_id,
            ),
            pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
        )
