"""The platform for workloads: clusters, namespaces, the registry, secrets, and identities with their access."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec import Inference, Monitor, Pipeline, Registry, SecretRef, Store, TargetSpec


@record
class Access:
    """A workload identity's access to an object store, limited to `prefix`.

    The mode is `read`, `write` (which includes reading and deleting), or `append` (adding objects, but not reading or
    deleting).
    """

    store: str
    prefix: str
    mode: str


@record
class Identity:
    """A workload's own identity, with exactly the access that it needs.

    `api` says why the workload calls the Kubernetes API, or is "" if it doesn't. A pipeline that starts on a schedule
    or manually has a second identity, `<name>-launcher`, which may only create runs. An endpoint's variants share an
    identity, as do the members of a pool.
    """

    workload: str
    access: tuple[Access, ...]
    secrets: tuple[SecretRef, ...]
    api: str  # "" autoscaler launcher trigger (a monitor that starts a pipeline) starter


@record
class AlertRules:
    """Alert rules for an endpoint's SLO, a monitor, a pipeline's runs, a registry on this target, or sites.

    `sites` names the target that represents the sites, or is "" for rules about other subjects.
    """

    inference: Inference | None = None
    monitor: Monitor | None = None
    pipeline: Pipeline | None = None
    registry: RegistryServer | None = None
    sites: str = ""


@record
class Secret:
    """A secret and its readers, each as `section.name` (a workload, store or channel) or `deployment.<target>`."""

    ref: SecretRef
    workloads: tuple[str, ...]


@record
class Cluster:
    """A cluster and the add-ons that this system needs there, named as in the target's `present` field.

    An add-on's kinds of objects (PodMonitor, ExternalSecret …) may be created only if the add-on is listed here.
    """

    target: TargetSpec
    addons: tuple[str, ...]  # the add-ons needed; those in target.present are not installed


@record
class Namespace:
    """A namespace that belongs to the system."""

    target: TargetSpec


@record
class RegistryServer:
    """A model registry and, if it runs on this target, its database and object store."""

    registry: Registry
    database: Store | None
    artifacts: Store | None
