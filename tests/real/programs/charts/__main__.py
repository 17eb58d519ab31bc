"""Installs a Helm chart using the repository and values in the stack's configuration."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
provider = kubernetes.Provider("cluster", kubeconfig=config.require("kubeconfig"), cluster_identifier="bench")
kubernetes.helm.v4.Chart(
    "operator",
    chart=config.require("chart"),
    version=config.require("version"),
    namespace="default",
    repository_opts={"repo": config.require("chartRepository")},
    values=config.require_object("values"),
    opts=pulumi.ResourceOptions(provider=provider),
)
