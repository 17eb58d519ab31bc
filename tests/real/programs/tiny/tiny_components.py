"""Functions that create the resources of the tiny program."""

import pulumi
from pulumi_kubernetes import apps, core, meta


def settings(name: str, namespace: core.v1.Namespace, opts: pulumi.ResourceOptions) -> None:
    """Create a ConfigMap."""
    core.v1.ConfigMap(
        name, metadata=meta.v1.ObjectMetaArgs(name=name, namespace=namespace.id), data={"key": name}, opts=opts
    )


def deployment(name: str, replicas: int, namespace: core.v1.Namespace, opts: pulumi.ResourceOptions) -> None:
    """Create a Deployment, and let Pulumi wait for it."""
    labels = {"app": name}
    container = core.v1.ContainerArgs(name=name, image="example.org/web:1")
    apps.v1.Deployment(
        name,
        metadata=meta.v1.ObjectMetaArgs(name=name, namespace=namespace.id),
        spec=apps.v1.DeploymentSpecArgs(
            replicas=replicas,
            selector=meta.v1.LabelSelectorArgs(match_labels=labels),
            template=core.v1.PodTemplateSpecArgs(
                metadata=meta.v1.ObjectMetaArgs(labels=labels), spec=core.v1.PodSpecArgs(containers=[container])
            ),
        ),
        opts=opts,
    )
