"""Creates a namespace with a Deployment and some ConfigMaps, using the module next to this program."""

import pulumi
import pulumi_kubernetes as kubernetes
from tiny_components import deployment, settings

config = pulumi.Config()
provider = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"), cluster_identifier="bench")
inside = pulumi.ResourceOptions(provider=provider)
namespace = kubernetes.core.v1.Namespace("tiny", metadata={"name": "tiny"}, opts=inside)
for number in range(12):
    settings(f"settings-{number}", namespace=namespace, opts=inside)
deployment("web", replicas=config.require_int("replicas"), namespace=namespace, opts=inside)
