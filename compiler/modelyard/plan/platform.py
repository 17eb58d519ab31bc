"""What workloads stand on: clusters, namespaces, the registry, secrets, and identities with their access."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import Inference, Monitor, Pipeline, Registry, SecretRef, Store, TargetSpec


@record
class Access:
    """What an identity may do with one object store: `prefix` and below.

    `read`, `write` (which includes read and delete), or `append`: new objects, none read and none deleted.
    """

    store: str
    prefix: str
    mode: str


@record
class Identity:
    """A workload's own identity with exactly what it names. `api` says why it talks to the cluster's API, empty if not.

    A pipeline that is started by time or by hand has a second one, `<name>-launcher`, which may create its runs and
    nothing else. The variants of an endpoint share one, and so do the members of a pool.
    """

    workload: str
    access: tuple[Access, ...]
    secrets: tuple[SecretRef, ...]
    api: str  # "" autoscaler launcher trigger (a monitor that starts a pipeline) starter


@record
class AlertRules:
    """Alerts of one endpoint's SLO, of one monitor, of the runs of one pipeline, or of the registry that runs here."""

    inference: Inference | None = None
    monitor: Monitor | None = None
    pipeline: Pipeline | None = None
    registry: RegistryServer | None = None


@record
class Secret:
    """A secret and who reads it, as `section.name`: workloads, stores, channels, or `deployment.<target>`."""

    ref: SecretRef
    workloads: tuple[str, ...]


@record
class Cluster:
    """A cluster and the add-ons that this system asks of it, by the names that `present` uses.

    Objects of an add-on's own kinds (PodMonitor, ExternalSecret …) may only be made where it is named here.
    """

    target: TargetSpec
    addons: tuple[str, ...]  # needed; those in target.present are not installed


@record
class Namespace:
    """A namespace of the system's own."""

    target: TargetSpec


@record
class RegistryServer:
    """The registry, with the database and the store that it runs on where it runs here."""

    registry: Registry
    database: Store | None
    artifacts: Store | None
