"""Cluster access: administrators, networks that can reach the API, and a kubeconfig."""

from __future__ import annotations

import re
from typing import cast

import pulumi
from pulumi_gcp import projects

from .project import Project

_MEMBER = re.compile(r"(user|group|serviceAccount|principal|principalSet):.+")


def administrators(
    name: str, *, project: Project, cluster_name: str, opts: pulumi.ResourceOptions
) -> list[projects.IAMMember]:
    """Make the IAM members in the stack setting `admins` administrators of this cluster only.

    Project owners need no entry, since IAM makes them administrators of all clusters in the project.
    """
    resource = f"projects/{project.project_id}/locations/{project.region_name}/clusters/{cluster_name}"
    only_here = projects.IAMMemberConditionArgs(
        title=f"cluster {cluster_name}", expression=f'resource.name == "{resource}"'
    )
    return [
        projects.IAMMember(
            f"{name}-{member.partition(':')[2]}",
            projects.IAMMemberArgs(
                project=project.project_id, role="roles/container.admin", member=member, condition=only_here
            ),
            opts,
        )
        for member in admins()
    ]


def admins() -> list[str]:
    """Return the `admins` setting. Raises RunError if it isn't a list of IAM members."""
    members = _listed("admins", "group:platform@acme.example")
    if any(not _MEMBER.fullmatch(member) for member in members):
        raise pulumi.RunError(f"the setting admins must be members such as group:NAME, not {', '.join(members)}")
    return members


def api_clients() -> list[str]:
    """Return the `apiClients` setting, i.e. CIDR blocks of connected networks that may reach the cluster's API."""
    return _listed("apiClients", "10.99.0.0/16")


def kubeconfig(name: str, *, server: pulumi.Input[str], authority: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """Build a kubeconfig without secrets. Google's plug-in gets short-lived tokens using Pulumi's own login.

    Without `authority`, the server's certificate is verified against the system's certificate authorities.
    """
    cluster: dict[str, pulumi.Input[str]] = {"server": server}
    if authority is not None:
        cluster["certificate-authority-data"] = authority
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        # by default it uses the separate login of gcloud, which may be missing
        "args": ["--use_application_default_credentials"],
        "installHint": "gcloud components install gke-gcloud-auth-plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"exec": execute}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _listed(setting: str, example: str) -> list[str]:
    value: object = pulumi.Config().get_object(setting)
    if value is None:
        return []
    items = cast("list[object]", value) if isinstance(value, list) else []
    texts = [text for text in items if isinstance(text, str)]
    if not texts or len(texts) != len(items):
        raise pulumi.RunError(f"the setting {setting} is a list: pulumi config set --path '{setting}[0]' {example}")
    return texts
