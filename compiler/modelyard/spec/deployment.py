"""The deployment of a system: targets in the terms of their providers, and the placement of each kind of workload."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.references import SecretRef


@record
class Accelerator:
    """`L4:1`: an accelerator's name and the number per Pod or machine."""

    name: str
    count: int = 1


@record
class Taint:
    """Keeps Pods off a machine unless they tolerate it, as in Kubernetes."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"  # NoSchedule PreferNoSchedule NoExecute


@record
class Machines:
    """`count` equal machines of a cluster, with the resources that one of them offers to Pods."""

    count: int
    cpu_millis: int
    memory_bytes: int
    accelerator: Accelerator | None = None
    accelerator_memory_bytes: int | None = None
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    spot: bool = False
    price_hourly: float | None = None  # in the budget's currency
    currency: str = ""


@record
class Gateway:
    """An existing Gateway (`name`, `namespace`, `listener`) or the class from which one is created (`class`)."""

    class_name: str = ""
    name: str = ""
    namespace: str = ""
    listener: str = ""
    mirrors: bool = False  # the controller supports RequestMirror
    certificate: SecretRef | None = None  # TLS of a Gateway that modelyard creates
    proxies: str = ""  # namespace of the proxies of a Gateway that modelyard creates; empty: of any


@record
class SecretStore:
    """The way to read `secret://<name>/…` in a cluster."""

    name: str
    via: str = "existing"  # existing (a Secret of the namespace) external-secrets, or a service of the provider
    store: str = ""  # name of the SecretStore or ClusterSecretStore
    scope: str = "cluster"  # cluster namespace
    refresh_s: int = 3600


@record
class Images:
    """The source of a target's images."""

    registry: str = ""  # prefix of images built here, and of mirrored ones
    pull_secret: str = ""  # name of an existing Secret of type dockerconfigjson
    mirror: bool = False  # every image is pulled from `registry`, third parties' too


@record
class Telemetry:
    """The destinations of metrics besides the cluster's own Prometheus."""

    remote_write: str = ""  # URL
    secret: SecretRef | None = None  # bearer token
    prometheus_labels: tuple[tuple[str, str], ...] = ()  # by which the cluster's Prometheus selects monitors and rules
    namespace: str = "monitoring"  # where Prometheus runs
    prometheus: str = ""  # its URL; default: the operator's own service in that namespace


@record
class HeadState:
    """An existing Redis in which KubeRay keeps the state of heads that serve."""

    redis: str  # URL
    password: SecretRef | None = None


@record
class Network:
    """A target's private address range, and its field in the spec.

    `example` is another range in the form of that field.
    """

    cidr: str
    field: tuple[str, ...]
    example: str
    adopted: str = ""  # ID of an existing network


class Options:
    """The provider-specific fields of a target; each provider with such fields has its own subclass."""

    __slots__ = ()

    @property
    def network(self) -> Network | None:
        """The target's private network, if it has one with a known range."""
        return None


NO_OPTIONS = Options()

FIRST_KEYS = (1,)


@record
class TargetSpec:
    """An entry of `deployment.targets`: the fields that all providers share, and the options of its own provider."""

    name: str
    provider: str
    region: str = ""
    network: str = "private"  # private public: whether the API of a cloud cluster has a public address
    residency: str = ""  # the cluster's location: eu, us, ch … (the region implies it in a cloud)
    context: str = ""  # kubeconfig context
    namespace: str = ""  # default: the system's name
    tenancy: str = "dedicated"  # dedicated shared private-cloud
    edge: bool = False
    capacity: tuple[Machines, ...] = ()
    present: tuple[str, ...] = ()  # kuberay prometheus external-secrets cloudnative-pg
    storage_class: str = ""
    gateway: Gateway | None = None
    secret_stores: tuple[SecretStore, ...] = ()
    images: Images = Images()
    telemetry: Telemetry = Telemetry()
    head_state: HeadState | None = None
    egress: tuple[str, ...] = ()  # CIDRs that workloads may reach (object stores, databases outside the cluster)
    priority_classes: tuple[tuple[str, str], ...] = ()  # existing ones, by priority
    reachable_from: tuple[str, ...] = ()  # targets whose workloads may open connections to this one
    access_keys: tuple[int, ...] = FIRST_KEYS  # of the access keys of workloads here for clouds; the last is used
    version: str = ""  # of a cloud's Kubernetes, 1.36
    access: tuple[str, ...] = ()  # CIDRs that may call the public address of a cloud's API
    options: Options = NO_OPTIONS
    in_cloud: bool = False  # whether its provider is a public cloud, so that the region determines its location
    secrets_via: str = ""  # how most targets of its provider read secrets from outside their cluster


@record
class Placement:
    """Target by kind of workload; every field but `default` falls back to it."""

    default: str
    training: str
    batch: str
    inference: str
    monitors: str
    registry: str


@record
class Deployment:
    """The targets of a system, its mode, and the placement of its workloads."""

    mode: str  # cloud hybrid on-prem local
    targets: tuple[TargetSpec, ...]
    placement: Placement
