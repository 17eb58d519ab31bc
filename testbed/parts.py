"""The programs that are built from Go modules, with versions and sources."""

from __future__ import annotations

from dataclasses import dataclass, field

KUBERNETES = "v1.36.3"
PULUMI = "v3.274.1"
PULUMI_KUBERNETES = "4.24.0"
PROMETHEUS_OPERATOR = "v0.93.1"

_CLIPBOARD = "replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e"
_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator"
_COMPONENT_VERSION = "k8s.io/component-base/version"
_KUBERNETES_MAJOR, _KUBERNETES_MINOR, _ = KUBERNETES.removeprefix("v").split(".")

# The published main embeds files that its module lacks. Without the schema, only GetSchema does not work.
_PROVIDER_MAIN = f"""package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

func main() {{
\tprovider.Serve("kubernetes", "{PULUMI_KUBERNETES}",
\t\t[]byte(`{{"name":"kubernetes","version":"{PULUMI_KUBERNETES}"}}`), []byte(`{{}}`))
}}
"""


# Only the plugins in the test bed's Corefile: the others load the SDKs of clouds.
_DNS_MAIN = """package main

import (
\t"github.com/coredns/coredns/core/dnsserver"
\t"github.com/coredns/coredns/coremain"
\t_ "github.com/coredns/coredns/plugin/bind"
\t_ "github.com/coredns/coredns/plugin/hosts"
\t_ "github.com/coredns/coredns/plugin/kubernetes"
)

func main() {
\tdnsserver.Directives = []string{"bind", "hosts", "kubernetes"}
\tcoremain.Run()
}
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A Go module of our own. Most parts have a separate module because their requirements conflict.

    `programs` maps the name of a binary to its package. `staged` is a required module whose `./staging` replacements
    are repeated here with the given version. `sources` are our own files, by path in the module. `tags` are build tags.
    """

    name: str
    requires: tuple[str, ...]
    programs: dict[str, str]
    replaces: tuple[str, ...] = ()
    staged: tuple[str, str] | None = None
    ldflags: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict[str, str])
    tags: tuple[str, ...] = ()


PARTS = (
    Part(
        name="cli",
        requires=(f"github.com/pulumi/pulumi/pkg/v3 {PULUMI}", f"github.com/pulumi/pulumi/sdk/v3 {PULUMI}"),
        programs={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        replaces=(_CLIPBOARD,),
        ldflags=(f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PULUMI}",),
    ),
    Part(
        name="provider",
        requires=("github.com/pulumi/pulumi-kubernetes/provider/v4 v4.0.0-20260115033456-f47bc2d6f199",),
        programs={"pulumi-resource-kubernetes": "./cmd/provider"},
        replaces=(_CLIPBOARD,),
        ldflags=(f"-X github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version={PULUMI_KUBERNETES}",),
        sources={"cmd/provider/main.go": _PROVIDER_MAIN},
    ),
    Part(
        name="kube",
        requires=(f"k8s.io/kubernetes {KUBERNETES}",),
        programs={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubectl",
                "kubelet",
                "kube-proxy",
            )
        },
        staged=(f"k8s.io/kubernetes@{KUBERNETES}", f"v0{KUBERNETES.removeprefix('v1')}"),
        ldflags=(
            f"-X {_COMPONENT_VERSION}.gitVersion={KUBERNETES}",
            f"-X {_COMPONENT_VERSION}.gitMajor={_KUBERNETES_MAJOR}",
            f"-X {_COMPONENT_VERSION}.gitMinor={_KUBERNETES_MINOR}",
        ),
    ),
    Part("etcd", ("go.etcd.io/etcd/server/v3 v3.6.16",), {"etcd": "go.etcd.io/etcd/server/v3"}),
    Part(
        "kuberay",
        ("github.com/ray-project/kuberay/ray-operator v1.6.2",),
        {"kuberay-operator": "github.com/ray-project/kuberay/ray-operator"},
    ),
    # CoreDNS and KWOK, which are not under test, use Prometheus's version of the Kubernetes client, which is large, so
    # that it is compiled once. Prometheus has the same dependencies as alone.
    Part(
        name="prometheus",
        requires=(
            "github.com/prometheus/prometheus v0.316.0",
            "github.com/coredns/coredns v1.15.0",
            "sigs.k8s.io/kwok v0.8.0",
        ),
        programs={
            "kwok": "sigs.k8s.io/kwok/cmd/kwok",
            "coredns": "./cmd/coredns",
            "promtool": "github.com/prometheus/prometheus/cmd/promtool",
            "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
        },
        sources={"cmd/coredns/main.go": _DNS_MAIN},
        # Clusters need only one way of finding targets. The others load the SDKs of clouds, half of all code.
        tags=("remove_all_sd", "enable_kubernetes_sd"),
    ),
    # Newer modules of Alertmanager lack the web pages that their program embeds.
    Part(
        "alertmanager",
        ("github.com/prometheus/alertmanager v0.31.1",),
        {"alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager"},
    ),
    Part(
        "prometheus-operator",
        # Prometheus's tests need a package that is in two modules, unless one of the modules is newer than their split.
        (f"{_PROMETHEUS_OPERATOR} {PROMETHEUS_OPERATOR}", "cloud.google.com/go v0.123.0"),
        {"prometheus-operator": f"{_PROMETHEUS_OPERATOR}/cmd/operator"},
    ),
    Part(
        "actionlint",
        ("github.com/rhysd/actionlint v1.7.12",),
        {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"},
    ),
    Part(
        "kubescore",
        ("github.com/zegl/kube-score v1.20.0",),
        {"kube-score": "github.com/zegl/kube-score/cmd/kube-score"},
    ),
    Part(
        "crane",
        ("github.com/google/go-containerregistry v0.22.1",),
        {"crane": "github.com/google/go-containerregistry/cmd/crane"},
    ),
)
