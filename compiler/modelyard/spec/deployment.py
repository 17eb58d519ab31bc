"""Where a system runs: targets in the words of their providers, and which kind of workload goes where."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.references import SecretRef


@record
class Accelerator:
    """`L4:1`: an accelerator's name and how many of it one Pod or machine has."""

    name: str
    count: int = 1


@record
class Taint:
    """What keeps Pods off a machine unless they tolerate it, as Kubernetes says it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"  # NoSchedule PreferNoSchedule NoExecute


@record
class Machines:
    """`count` equal machines of a cluster: what one of them offers to Pods."""

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
    """An existing Gateway (`name`, `namespace`, `listener`) or the class from which one is made (`class`)."""

    class_name: str = ""
    name: str = ""
    namespace: str = ""
    listener: str = ""
    mirrors: bool = False  # the controller supports RequestMirror
    certificate: SecretRef | None = None  # TLS of a Gateway that is made here
    proxies: str = ""  # namespace of the proxies of a Gateway that is made here; empty: of any


@record
class SecretStore:
    """How `secret://<name>/…` is read in a cluster."""

    name: str
    via: str = "existing"  # existing (a Secret of the namespace) external-secrets, or a service of the provider
    store: str = ""  # name of the SecretStore or ClusterSecretStore
    scope: str = "cluster"  # cluster namespace
    refresh_s: int = 3600


@record
class Images:
    """Where the images of a target come from."""

    registry: str = ""  # prefix of images built here, and of mirrored ones
    pull_secret: str = ""  # name of an existing Secret of type dockerconfigjson
    mirror: bool = False  # every image is pulled from `registry`, third parties' too


@record
class Telemetry:
    """Where metrics go besides the cluster's own Prometheus."""

    remote_write: str = ""  # URL
    secret: SecretRef | None = None  # bearer token
    prometheus_labels: tuple[tuple[str, str], ...] = ()  # what the cluster's Prometheus selects monitors and rules by
    namespace: str = "monitoring"  # where Prometheus runs
    prometheus: str = ""  # its URL; default: the operator's own service in that namespace


@record
class HeadState:
    """An existing Redis in which KubeRay keeps the state of heads that serve."""

    redis: str  # URL
    password: SecretRef | None = None


@record
class Network:
    """The range of a target's private network, and the field of the target that has it in the spec.

    `example` shows another range as one would write it there.
    """

    cidr: str
    field: tuple[str, ...]
    example: str
    adopted: str = ""  # id of an existing network


class Options:
    """The fields of a target that its provider alone has. A provider with such fields has a record of this type."""

    __slots__ = ()

    @property
    def network(self) -> Network | None:
        """The private network of the target, where it has one whose range is known."""
        return None


NO_OPTIONS = Options()

FIRST_KEYS = (1,)


@record
class TargetSpec:
    """One entry of `deployment.targets`: what all providers share, and what its own one adds."""

    name: str
    provider: str
    region: str = ""
    network: str = "private"  # private public: whether the API of a cloud cluster has a public address
    residency: str = ""  # where a cluster stands: eu, us, ch … (clouds know it from the region)
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
    access_keys: tuple[int, ...] = FIRST_KEYS  # of users in clouds whom workloads here are; the last is used
    version: str = ""  # of a cloud's Kubernetes, 1.36
    access: tuple[str, ...] = ()  # CIDRs that may call the public address of a cloud's API
    options: Options = NO_OPTIONS
    in_cloud: bool = False  # whether its provider is a public cloud, whose regions say where it lies
    secrets_via: str = ""  # how most targets of its provider read secrets from outside of their cluster


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
    """The targets of a system, what they are together, and where its workloads go."""

    mode: str  # cloud hybrid on-prem local
    targets: tuple[TargetSpec, ...]
    placement: Placement
