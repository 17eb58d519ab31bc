"""What a system's workloads need: stores, hardware, a registry, data and models."""

from __future__ import annotations

from modelyard.records import record, replace
from modelyard.source import Path
from modelyard.spec.deployment import Accelerator
from modelyard.spec.references import ModelRef, SecretRef
from modelyard.spec.stages import Stage


@record
class ObjectLock:
    """How long object versions can't be deleted, and whether users who may bypass governance still can (`mode`)."""

    mode: str  # compliance governance
    retain_s: int


@record
class Store:
    """A store of type `object` (a bucket) or `database` (PostgreSQL), either adopted by name or managed.

    `called` is the name used for the store's resources. It's the current name, or the original one if the store was
    renamed.
    """

    name: str
    called: str
    type: str  # object database
    target: str
    adopt: str = ""  # bucket name, or host[:port]/database
    endpoint: str = ""  # URL of an S3-compatible service
    region: str = ""
    credentials: SecretRef | None = None  # Secret with keys access-key-id/secret-access-key, or username/password
    credentials_per: str = "store"  # store: one Secret for all; workload: one Secret for each workload below that path
    versioned: bool = True
    retention_s: int | None = None  # objects older than this are deleted
    object_lock: ObjectLock | None = None
    size_bytes: int | None = None  # database volume
    replicas: int | None = None  # database instances
    encryption_key: str = ""  # the encryption key of an adopted bucket, by its cloud's identifier

    def credentials_of(self, workload: str) -> SecretRef | None:
        """Return the Secret that a workload such as `pipelines.retrain` uses to access the store."""
        if self.credentials is None or self.credentials_per == "store":
            return self.credentials
        return replace(self.credentials, path=f"{self.credentials.path}/{workload.replace('.', '/')}")

    def opened_by(self, ref: SecretRef) -> bool:
        """Return whether a secret reference points to credentials of this store."""
        if self.credentials is None or self.credentials_per == "store":
            return ref == self.credentials
        return ref.store == self.credentials.store and ref.path.startswith(f"{self.credentials.path}/")


@record
class ComputeClass:
    """A compute class, which describes a Pod's hardware in portable terms.

    Inline classes are named after their path.
    """

    name: str
    path: Path
    cpu_millis: int
    memory_bytes: int
    accelerators: tuple[Accelerator, ...] = ()  # alternatives, best first
    accelerator_memory_bytes: int | None = None  # alternatively, any accelerator with at least this much memory
    capacity: str = "on-demand"  # on-demand spot spot-first
    disk_bytes: int | None = None
    elastic: bool = False  # any machine that is large enough, the cheapest at that time


@record
class Registry:
    """An MLflow registry, either adopted by URL or run by this system using a database and an object store."""

    adopt: str = ""
    credentials: SecretRef | None = None  # for an adopted registry: username/password or token
    database: str = ""  # a store of type database
    artifacts: str = ""  # a store of type object
    artifact_path: str = "mlflow"


@record
class Dataset:
    """Files of one format in a store, and the roles of their columns."""

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
    group: str = ""  # column with the same value in all rows of a query
    delay_s: int | None = None  # how late labels arrive
    classification: str = ""  # public internal confidential pii cardholder phi


@record
class Check:
    """A check in a model's gate or a monitor. Its metric has bounds or is compared with the champion's."""

    name: str
    metric: str
    minimum: float | None = None
    maximum: float | None = None
    versus: str = ""  # champion
    min_delta: float = 0.0
    confidence: float = 0.95  # 0: only the difference decides, without a confidence level
    by: str = ""  # column whose values are slices
    max_difference: float | None = None  # maximum difference between two slices
    min_rows: int | None = None
    data: str = ""  # dataset for the gate's evaluation; default: held-out part of the training data
    features: tuple[str, ...] = ()  # monitors: only these columns
    min_features: int = 1  # monitors: number of features beyond the bounds for a breach
    consecutive: int = 1  # monitors: number of consecutive runs for a breach
    severity: str = "page"  # monitors: page ticket


@record
class ModelCard:
    """A model's purpose and limitations, in prose."""

    purpose: str = ""
    limitations: str = ""
    contact: str = ""
    license: str = ""


@record
class Explainability:
    """The method for explaining predictions, and the number of rows to use."""

    method: str  # shap permutation
    sample: int = 1000  # rows


@record
class ModelImport:
    """The location of an imported model's files, and their digest."""

    digest: str
    uri: str = ""  # models:/NAME/VERSION, runs:/RUN/PATH or s3://BUCKET/PATH, instead of store and path
    store: str = ""
    path: str = ""
    promote_to: str = ""  # alias that moves; default: the first stage or champion


@record
class Model:
    """A model: its task, and the requirements for promoting one of its versions."""

    name: str
    task: str  # binary- or multiclass-classification regression ranking forecasting recommendation text-generation
    framework: str  # scikit-learn xgboost lightgbm pytorch transformers custom
    registered_name: str  # in the registry
    card: ModelCard = ModelCard()
    validation: tuple[Check, ...] = ()
    explainability: Explainability | None = None
    threshold: float | None = None  # probability of the positive class
    stages: tuple[Stage, ...] = ()  # in order; if empty, the only stage is the alias to which training promotes
    imported: ModelImport | None = None
    base: ModelRef | None = None  # of an adapter: the language model that it changes

    @property
    def generates_text(self) -> bool:
        """Whether the model is a language model."""
        return self.task == "text-generation"
