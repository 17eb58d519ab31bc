"""The platform of workloads: clusters, namespaces, the registry, secrets, and identities with their access."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import Inference, Monitor, Pipeline, Registry, SecretRef, Store, TargetSpec


@record
class Access:
    """The access of an identity to one object store: `prefix` and below.

    `read`, `write` (which includes read and delete), or `append`: adds objects but neither reads nor deletes them.
    """

    store: str
    prefix: str
    mode: str


@record
class Identity:
    """A workload's own identity with exactly the access it needs.

    `api` is its reason to call the Kubernetes API, if any. A pipeline that is started by schedule or by hand has a
    second one, `<name>-launcher`, which may only create its runs. The variants of an endpoint share an identity, and so
    do the members of a pool.
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
    """A secret and its readers, as `section.name`: workloads, stores, channels, or `deployment.<target>`."""

    ref: SecretRef
    workloads: tuple[str, ...]


@record
class Cluster:
    """A cluster and the add-ons that this system needs, by the names that `present` uses.

    Objects of an add-on's kinds (PodMonitor, ExternalSecret …) may only be created if the add-on is listed here.
    """

    target: TargetSpec
    addons: tuple[str, ...]  # needed; those in target.present are not installed


@record
class Namespace:
    """A namespace that belongs to the system."""

    target: TargetSpec


@record
class RegistryServer:
    """The registry, with its database and store if it runs here."""

    registry: Registry
    database: Store | None
    artifacts: Store | None
