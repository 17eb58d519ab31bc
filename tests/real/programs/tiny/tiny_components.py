"""What the tiny program is made of."""

import pulumi
import pulumi_kubernetes as kubernetes


def settings(name: str, namespace: kubernetes.core.v1.Namespace, opts: pulumi.ResourceOptions) -> None:
    """A ConfigMap."""
    kubernetes.core.v1.ConfigMap(
        name, metadata={"name": name, "namespace": namespace.id}, data={"key": name}, opts=opts
    )


def deployment(name: str, replicas: int, namespace: kubernetes.core.v1.Namespace, opts: pulumi.ResourceOptions) -> None:
    """A Deployment that Pulumi waits for."""
    labels = {"app": name}
    kubernetes.apps.v1.Deployment(
        name,
        metadata={"name": name, "namespace": namespace.id},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": name, "image": "example.org/web:1"}]},
            },
        },
        opts=opts,
    )
