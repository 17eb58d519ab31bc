"""A system's deployment: targets with their provider options, and the placement of each workload type."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.references import SecretRef


@record
class Accelerator:
    """An accelerator's name and its count per Pod or machine, such as `L4:1`."""

    name: str
    count: int = 1


@record
class Taint:
    """A Kubernetes taint, which keeps Pods off a machine unless they tolerate it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"  # NoSchedule PreferNoSchedule NoExecute


@record
class Machines:
    """A set of `count` identical machines in a cluster, with the resources each offers to Pods."""

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
    """An existing Gateway (`name`, `namespace`, `listener`), or the GatewayClass for a new Gateway (`class`)."""

    class_name: str = ""
    name: str = ""
    namespace: str = ""
    listener: str = ""
    mirrors: bool = False  # the controller supports RequestMirror
    certificate: SecretRef | None = None  # TLS certificate of a Gateway that modelyard creates
    proxies: str = ""  # namespace of the proxies for a Gateway that modelyard creates; empty: any namespace


@record
class SecretStore:
    """How a cluster reads secrets of the form `secret://<name>/…`."""

    name: str
    via: str = "existing"  # existing (a Secret in the namespace), external-secrets, or a provider service
    store: str = ""  # name of the SecretStore or ClusterSecretStore
    scope: str = "cluster"  # cluster namespace
    refresh_s: int = 3600


@record
class Images:
    """The container registry that a target pulls images from."""

    registry: str = ""  # prefix of images built for this system, and of mirrored images
    pull_secret: str = ""  # name of an existing Secret of type dockerconfigjson
    mirror: bool = False  # every image is pulled from `registry`, including third-party images


@record
class Telemetry:
    """Where metrics are sent in addition to the cluster's own Prometheus."""

    remote_write: str = ""  # URL
    alerts_on: str = ""  # the target that evaluates these sites' alerts; by default, each site does
    secret: SecretRef | None = None  # bearer token
    prometheus_labels: tuple[tuple[str, str], ...] = ()  # for the cluster's Prometheus to select our objects
    namespace: str = "monitoring"  # namespace where Prometheus runs
    prometheus: str = ""  # its URL; default: the operator's own service in that namespace


@record
class HeadState:
    """An existing Redis instance where KubeRay stores the head state of serving clusters."""

    redis: str  # URL
    password: SecretRef | None = None


@record
class Network:
    """A target's private address range, and the spec field that sets it.

    `example` is a different valid value for that field.
    """

    cidr: str
    field: tuple[str, ...]
    example: str
    adopted: str = ""  # ID of an existing network


@record
class ExistingCluster:
    """A cluster that a cloud target adopts instead of creating its own.

    `adopt` is the cluster's name, or "" if modelyard creates the cluster. `cidr` is the address range of its nodes, its
    API and the system's databases, if set in the spec. If `node_pools` is "create", compute classes get their own node
    pools in the cluster, while everything else runs on existing machines.
    """

    adopt: str = ""
    cidr: str = ""
    node_pools: str = "existing"  # existing create

    @property
    def creates_pools(self) -> bool:
        """Whether compute classes get their own node pools."""
        return self.node_pools == "create"


class Options:
    """A target's provider-specific fields. Providers that have such fields define a subclass."""

    __slots__ = ()

    @property
    def network(self) -> Network | None:
        """The target's private network, if its range is known."""
        return None

    @property
    def group(self) -> tuple[str, str]:
        """The account and name of an existing resource group that can only hold one target of one environment.

        Both are "" if there is no such group. The account is also "" if only a stack's settings name it.
        """
        return "", ""

    @property
    def identities(self) -> str:
        """The scope in which namespace and name identify a workload on any cluster, or "" if there is none."""
        return ""

    @property
    def derived(self) -> tuple[str, ...]:
        """The fields that only repeat what the spec writes about an adopted cluster."""
        return ()


NO_OPTIONS = Options()

FIRST_KEYS = (1,)


@record
class Sites:
    """The names of the sites that a target represents, and the name and wave of the site being compiled."""

    names: tuple[str, ...]
    name: str
    wave: str = ""


@record
class Waves:
    """The sites that get a new version first, the growing shares after that, and how long each wave lasts."""

    canary: tuple[str, ...]
    shares: tuple[str, ...]
    soak_s: int

    @property
    def count(self) -> int:
        """The number of waves: the canary, one for each share, and the remaining sites."""
        return 2 + len(self.shares)


@record
class TargetSpec:
    """An entry in `deployment.targets`, with fields shared by all providers and provider-specific options."""

    name: str
    provider: str
    region: str = ""
    network: str = "private"  # private public: whether a cloud cluster's API has a public address
    residency: str = ""  # eu, us, ch …: where the cluster is (in a cloud, the region determines it)
    context: str = ""  # kubeconfig context
    namespace: str = ""  # default: the system's name, combined with the environment's name on some providers
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
    egress: tuple[str, ...] = ()  # CIDRs that workloads may access (object stores, databases outside the cluster)
    priority_classes: tuple[tuple[str, str], ...] = ()  # existing PriorityClasses, by priority
    reachable_from: tuple[str, ...] = ()  # targets whose workloads may connect to this one
    access_keys: tuple[int, ...] = FIRST_KEYS  # numbers of access keys for clouds; the last key is active
    issuer: str = ""  # issuer URL of ServiceAccount tokens; a cloud's program knows that of its cluster
    version: str = ""  # a cloud cluster's Kubernetes version, such as 1.36
    access: tuple[str, ...] = ()  # CIDRs that may call the public API address in a cloud
    cluster: ExistingCluster = ExistingCluster()
    options: Options = NO_OPTIONS
    in_cloud: bool = False  # the provider is a public cloud, so the region determines the location
    secrets_via: str = ""  # how most targets of the provider read secrets from outside their cluster
    sites: Sites | None = None  # if the target stands for many sites
    waves: Waves | None = None  # by default, models reach all sites at once

    @property
    def creates_cluster(self) -> bool:
        """Return whether modelyard creates the cluster, as it does in a cloud unless the target adopts one."""
        return self.in_cloud and not self.cluster.adopt


@record
class Placement:
    """The target for each kind of workload, with `default` as the fallback."""

    default: str
    training: str
    batch: str
    inference: str
    monitors: str
    registry: str


@record
class Deployment:
    """A system's targets, mode, and workload placement."""

    mode: str  # cloud hybrid on-prem local
    targets: tuple[TargetSpec, ...]
    placement: Placement
