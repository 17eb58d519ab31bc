"""The platform that workloads need: clusters, namespaces, the registry, secrets, and identities with access."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import Inference, Monitor, Pipeline, Registry, SecretRef, Store, TargetSpec


@record
class Access:
    """An identity's access to one object store, limited to `prefix`.

    The access is `read`, `write` (which includes read and delete), or `append` (add objects, but not read or delete).
    """

    store: str
    prefix: str
    mode: str


@record
class Identity:
    """A workload's own identity, with exactly the access that it needs.

    `api` is its reason to call the Kubernetes API, if any. A pipeline that is started by schedule or by hand has a
    second identity, `<name>-launcher`, which may only create runs. The variants of an endpoint share an identity, as do
    the members of a pool.
    """

    workload: str
    access: tuple[Access, ...]
    secrets: tuple[SecretRef, ...]
    api: str  # "" autoscaler launcher trigger (a monitor that starts a pipeline) starter


@record
class AlertRules:
    """Alerts for an endpoint's SLO, a monitor, a pipeline's runs, or a registry that runs here."""

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

    An add-on's kinds of objects (PodMonitor, ExternalSecret …) may only be created if the add-on is listed here.
    """

    target: TargetSpec
    addons: tuple[str, ...]  # needed; those in target.present are not installed


@record
class Namespace:
    """A namespace of the system."""

    target: TargetSpec


@record
class RegistryServer:
    """The registry and, if it runs here, its database and store."""

    registry: Registry
    database: Store | None
    artifacts: Store | None
