"""The typed spec: what the rooms after `resolve` know about a system; defaults are filled and units parsed."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.records import record
from modelyard.source import Document, Json, Path, Span

# Ways of saying the same thing once: quantities are integers in the unit that their field's name ends with,
# references are the bare names of what they point at, and every named thing is kept in the order of the spec.


@record
class SecretRef:
    """`secret://store/path#key`: where a secret lives; its value is never known here."""

    store: str
    path: str
    key: str


@record
class Metadata:
    name: str
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@record
class Profile:
    """Chooses defaults: `size: enterprise` asks for redundancy, `small` for frugality; `industry` for its policies."""

    industry: str = "other"  # banking insurance healthcare telecom manufacturing retail public other
    size: str = "small"  # small enterprise


@record
class Owner:
    team: str
    email: str
    oncall: str = ""  # a channel's name


@record
class Budget:
    monthly: float
    currency: str  # USD EUR …
    on_exceed: str = "warn"  # warn block


@record
class Approval:
    """Who must agree before an action; today `promote`: before the alias of a model moves."""

    groups: tuple[str, ...]
    minimum: int = 1


@record
class Retention:
    captures_s: int | None = None
    runs_s: int | None = None  # finished runs (jobs) are kept this long
    metrics_s: int | None = None


@record
class Governance:
    owner: Owner
    risk: str = "limited"  # minimal limited high
    data_classes: tuple[str, ...] = ()
    residency: tuple[str, ...] = ()
    budget: Budget | None = None
    approve_promotion: Approval | None = None
    lineage: bool = True
    explainability: bool = False  # every model must declare explainability
    retention: Retention = Retention()


# --- where it runs


@record
class Accelerator:
    """`L4:1`: an accelerator's name and how many of it one Pod or machine has."""

    name: str
    count: int = 1


@record
class Taint:
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


@record
class SecretStore:
    """How `secret://<name>/…` is read in a cluster."""

    name: str
    via: str = "existing"  # existing (a Secret of the namespace) external-secrets
    store: str = ""  # name of the SecretStore or ClusterSecretStore
    scope: str = "cluster"  # cluster namespace
    refresh_s: int = 3600


@record
class Images:
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
class TargetSpec:
    """One entry of `deployment.targets`: a place to run, in the words of its provider."""

    name: str
    provider: str  # aws gcp azure kubernetes local
    region: str = ""
    network: str = "private"  # private public
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
    egress: tuple[str, ...] = ()  # CIDRs that workloads may reach (object stores, databases outside the cluster)


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
    mode: str  # cloud hybrid on-prem local
    targets: tuple[TargetSpec, ...]
    placement: Placement


# --- what it needs


@record
class Store:
    """`type: object` (a bucket) or `type: database` (PostgreSQL): adopted by name, or managed."""

    name: str
    type: str  # object database
    target: str
    adopt: str = ""  # bucket name, or host[:port]/database
    endpoint: str = ""  # URL of an S3-compatible service
    region: str = ""
    credentials: SecretRef | None = None  # Secret with keys access-key-id/secret-access-key, or username/password
    versioned: bool = True
    retention_s: int | None = None  # objects older than this are deleted
    size_bytes: int | None = None  # database volume
    replicas: int | None = None  # database instances


@record
class ComputeClass:
    """A portable class of hardware for one Pod. Inline classes are named after where they stand."""

    name: str
    path: Path
    cpu_millis: int
    memory_bytes: int
    accelerators: tuple[Accelerator, ...] = ()  # alternatives, best first
    accelerator_memory_bytes: int | None = None  # or: any accelerator with at least this much
    capacity: str = "on-demand"  # on-demand spot spot-first
    disk_bytes: int | None = None


@record
class Registry:
    """MLflow: adopted by URL, or run here on a database and an object store."""

    adopt: str = ""
    credentials: SecretRef | None = None  # of an adopted registry: username/password or token
    database: str = ""  # a store of type database
    artifacts: str = ""  # a store of type object
    artifact_path: str = "mlflow"


@record
class Dataset:
    name: str
    format: str  # parquet csv json
    store: str = ""
    path: str = ""
    uri: str = ""  # instead of store and path: binds the spec to a provider
    description: str = ""
    schema: tuple[tuple[str, str], ...] = ()  # column, type: string integer number boolean timestamp
    features: tuple[str, ...] = ()
    label: str = ""
    timestamp: str = ""
    delay_s: int | None = None  # labels arrive this late
    classification: str = ""  # public internal confidential pii cardholder phi


@record
class Check:
    """One line of a gate or a monitor: a metric within bounds, or against the champion."""

    name: str
    metric: str
    minimum: float | None = None
    maximum: float | None = None
    versus: str = ""  # champion
    min_delta: float = 0.0
    data: str = ""  # dataset that the gate evaluates on; default: held-out part of the training data
    features: tuple[str, ...] = ()  # monitors: only these columns
    severity: str = "page"  # monitors: page ticket


@record
class ModelCard:
    purpose: str = ""
    limitations: str = ""
    contact: str = ""
    license: str = ""


@record
class Explainability:
    method: str  # shap permutation
    sample: int = 1000  # rows


@record
class Model:
    name: str
    task: str  # binary-classification multiclass-classification regression ranking forecasting recommendation
    framework: str  # scikit-learn xgboost lightgbm pytorch custom
    registered_name: str  # in the registry
    card: ModelCard = ModelCard()
    validation: tuple[Check, ...] = ()
    explainability: Explainability | None = None


@record
class ModelRef:
    """`model@alias`, or `model@3` for a version."""

    model: str
    alias: str = "champion"


# --- what it does


@record
class Source:
    """User code: an image, an entrypoint `package.module:function`; either may be empty (our image, built-in code)."""

    image: str = ""
    entrypoint: str = ""


@record
class Schedule:
    """How a run starts: `cron` by time, `once` when deployed, `on-demand` by hand or by a monitor."""

    kind: str = "on-demand"  # cron once on-demand
    cron: str = ""
    time_zone: str = "Etc/UTC"
    overlap: str = "forbid"  # forbid replace allow
    starting_deadline_s: int = 3600


@record
class Range:
    minimum: int
    maximum: int


@record
class Parameter:
    """One dimension of a search space."""

    name: str
    kind: str  # uniform loguniform int choice
    low: float | None = None
    high: float | None = None
    choices: tuple[Json, ...] = ()


@record
class Tuning:
    metric: str
    goal: str  # maximize minimize
    trials: int
    parallel: int
    early_stopping: str  # none asha
    space: tuple[Parameter, ...]
    seed: int | None = None


@record
class Split:
    """How training data is held out: `fraction` at random with `seed`, or the newest by the dataset's timestamp."""

    fraction: float = 0.2
    by: str = "random"  # random time
    seed: int = 0


@record
class Step:
    """One vertex of a pipeline's DAG; a pipeline without `steps` is one step of its own name."""

    name: str
    path: Path
    needs: tuple[str, ...]
    source: Source
    trainer: str  # built in: scikit-learn xgboost lightgbm pytorch; empty where entrypoint runs
    compute: str
    workers: Range
    inputs: tuple[str, ...]
    output: str  # a dataset; empty for none
    parameters: tuple[tuple[str, Json], ...]
    retries: int
    timeout_s: int


@record
class Pipeline:
    name: str
    type: str  # training batch-inference custom
    target: str
    model: ModelRef | None
    inputs: tuple[str, ...]
    output: str
    steps: tuple[Step, ...]
    schedule: Schedule
    timeout_s: int
    retries: int
    tuning: Tuning | None = None
    split: Split = Split()
    promote_to: str = "champion"  # alias that moves when the gate holds
    batch_size: int = 1024


@record
class Variant:
    name: str
    model: ModelRef
    compute: str
    replicas: Range
    percent: int  # of the traffic


@record
class Mirror:
    variant: str
    percent: int = 100


@record
class Scaling:
    metric: str = "ongoing-requests"
    target: float = 2.0  # per replica
    upscale_delay_s: int = 30
    downscale_delay_s: int = 600


@record
class Batching:
    """Requests gathered into one call of the model."""

    max_size: int = 1
    max_wait_ms: int = 10


@record
class Slo:
    latency_ms: tuple[tuple[float, int], ...] = ()  # (0.99, 50): 99 % of requests within 50 ms
    availability: float | None = None  # 0.9995
    window_s: int = 30 * 86400


@record
class Rollout:
    """How a new version of the servers replaces the old: `blue-green` whole, or `incremental` in steps of traffic."""

    strategy: str = "blue-green"  # blue-green incremental in-place
    step_percent: int = 10
    interval_s: int = 60
    max_surge_percent: int = 100


@record
class Capture:
    """Requests and predictions kept in a store for monitors."""

    fraction: float
    store: str
    path: str
    retain_s: int | None


@record
class Auth:
    type: str = "none"  # none bearer-token
    token: SecretRef | None = None


@record
class Endpoint:
    exposure: str = "cluster"  # cluster internal public
    host: str = ""
    path: str = "/"
    timeout_s: int = 60
    auth: Auth = Auth()
    clients: tuple[str, ...] = ()  # namespaces that may call an endpoint of the cluster


@record
class Inference:
    name: str
    target: str
    source: Source
    variants: tuple[Variant, ...]
    mirror: Mirror | None
    scaling: Scaling
    batching: Batching
    slo: Slo | None
    rollout: Rollout
    capture: Capture | None
    endpoint: Endpoint
    pool: str = ""


@record
class Reference:
    """What a monitor compares with: a window of a dataset, or the data that the model was trained on."""

    data: str = ""  # empty: the training data, as kept with the model
    window_s: int | None = None


@record
class OnBreach:
    notify: tuple[str, ...] = ()  # channels
    run: str = ""  # a pipeline's name
    rollback: bool = False  # the watched model's alias goes back to the version before
    cooldown_s: int = 86400


@record
class Monitor:
    name: str
    type: str  # data-drift prediction-drift concept-drift prediction-quality performance data-quality
    target: str
    watch: str  # inference.NAME pipelines.NAME data.NAME
    checks: tuple[Check, ...]
    reference: Reference | None
    window_s: int
    schedule: Schedule
    compute: str
    labels: str  # dataset with late labels, for prediction-quality and concept-drift
    on_breach: OnBreach


@record
class Channel:
    name: str
    type: str  # slack pagerduty email webhook
    secret: SecretRef | None  # slack/webhook URL, pagerduty routing key, smtp password
    room: str = ""  # slack channel
    to: str = ""  # email
    sender: str = ""
    smarthost: str = ""  # host:port of the mail server
    username: str = ""
    severities: tuple[str, ...] = ("page", "ticket")


@record
class Override:
    """A JSON Patch (RFC 6902) on one emitted object, with the reason why."""

    name: str
    target: str
    kind: str
    object: str
    patch: tuple[Mapping[str, Json], ...]
    reason: str


@record
class System:
    """A whole spec for one environment."""

    document: Document
    environment: str
    metadata: Metadata
    profile: Profile
    governance: Governance
    deployment: Deployment
    stores: Mapping[str, Store]
    compute: Mapping[str, ComputeClass]
    registry: Registry | None
    data: Mapping[str, Dataset]
    models: Mapping[str, Model]
    pipelines: Mapping[str, Pipeline]
    inference: Mapping[str, Inference]
    monitors: Mapping[str, Monitor]
    channels: Mapping[str, Channel]
    overrides: tuple[Override, ...] = ()
    moved: Mapping[str, str] | None = None  # new address -> old address: the new one keeps the old one's names

    def key(self, *path: str | int) -> Span:
        """Where the key at this path was written (or its nearest ancestor)."""
        return self.document.key_span(path)

    def at(self, *path: str | int) -> Span:
        """Where the value at this path was written (or its nearest ancestor)."""
        return self.document.value_span(path)
