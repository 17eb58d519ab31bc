"""The README of a cluster target, including deployment and removal steps, and the list of images to transfer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard import __version__
from modelyard.plan import Job, Kind, ModelServer, Route, Secret, log_days
from modelyard.records import record
from modelyard.sites.binding import has_markers
from modelyard.spec import Channel, Endpoint, Gateway
from modelyard.stack import TextFile
from modelyard.units import money_text
from modelyard_targets.kube.access.admission import OLDEST_KUBERNETES
from modelyard_targets.kube.access.secrets import (
    NeededSecret,
    existing_secrets,
    secrets_of,
    store_kind,
    store_object,
    store_of,
)
from modelyard_targets.kube.addons.addon_network import addon_namespace
from modelyard_targets.kube.addons.addons import asked_by_addons
from modelyard_targets.kube.data.crossing import crossings_on
from modelyard_targets.kube.data.disk import has_disk, may_have_disk
from modelyard_targets.kube.data.store_keys import store_keys
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.metrics.promql import duration, number
from modelyard_targets.kube.monitoring.channels import cluster_channel
from modelyard_targets.kube.monitoring.metrics_disk import kept_s, used_gi, volume_gi
from modelyard_targets.kube.monitoring.receiving import receiver_of, senders_to
from modelyard_targets.kube.network.gateway import beside_the_gateway
from modelyard_targets.kube.network.policies import PROMETHEUS_PORT
from modelyard_targets.kube.network.route import gateway_name, is_ours, needs_route, serve_service
from modelyard_targets.kube.objects.overrides import overrides_on
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context, mirrored, pull_secret_of_addons
from modelyard_targets.kube.placement.placed import (
    addons_needed,
    addons_to_install,
    installed_addons,
    managed_stores,
    registry_of,
)
from modelyard_targets.kube.project.files import File
from modelyard_targets.kube.project.pins import images_of, installed
from modelyard_targets.kube.project.storage_network import storage_readers
from modelyard_targets.kube.project.workloads_project import Workloads, Written, written_of
from modelyard_targets.kube.readme.alerts import alert_rows, uses_state_metrics
from modelyard_targets.kube.readme.callers import access_logs, caller_rows
from modelyard_targets.kube.readme.crossings import crossing_values
from modelyard_targets.kube.readme.first_steps import first_steps
from modelyard_targets.kube.readme.open_connections import Open, open_connections
from modelyard_targets.kube.readme.prose import Markup, as_code, render
from modelyard_targets.kube.readme.yields import yields_readme
from modelyard_targets.kube.services.database import databases_here
from modelyard_targets.kube.storage.buckets import bucket_name
from modelyard_targets.kube.workload.registry_access import registry_secrets

README: Final = "README.md"
IMAGES: Final = "images.txt"


_WHO: Final = {"cluster": "Pods of the cluster", "internal": "the company's network", "public": "the internet"}


@record
class ExposedEndpoint:
    """A row in the table of endpoints behind Gateways."""

    endpoint: str
    gateway: str
    address: str
    who: str


def texts_of(context: Context, workloads: Workloads) -> tuple[TextFile, ...]:
    """Return the README plus the image list, which is only written for edge clusters and targets with a mirror."""
    readme = TextFile(README, lambda: render("README.md.j2", readme_values(context, workloads)))
    return (readme, *image_texts(context))


def image_texts(context: Context) -> tuple[TextFile, ...]:
    """Return the placement's image list file, or an empty tuple if no images need to be transferred."""
    return (TextFile(IMAGES, lambda: image_list(context)),) if _carries(context) else ()


def image_list(context: Context) -> str:
    """Return one line per image, with its public name and the name nodes use to pull it, separated by a space."""
    lines = [f"{image} {mirrored(image, context.target)}\n" for image in images_of(context)]
    return "".join(lines)


def _carries(context: Context) -> bool:
    return context.target.edge or context.target.images.mirror


def readme_values(context: Context, workloads: Workloads) -> dict[str, object]:
    """Return the template values that all cluster READMEs have in common."""
    plan, placement, target = context.plan, context.placement, context.target
    here = plan.on(placement)
    databases, buckets = (managed_stores(plan, placement, kind) for kind in (Kind.DATABASE, Kind.OBJECT_STORE))
    addons = addons_needed(plan, placement)
    observed = "prometheus" in addons and "prometheus" in target.present
    keeps = may_have_disk if target.sites else has_disk
    return {
        "version": __version__,
        "system": context.system,
        "placement": placement,
        "target": target,
        "namespace": context.namespace,
        "pull_namespaces": _pull_namespaces(context),
        "projects": workloads.projects,
        "costs": (*context.platform.costs(plan, placement), *_budget(context)),
        "shared": target.tenancy == "shared",
        "oldest_kubernetes": OLDEST_KUBERNETES,
        "charts": [f"{charts()[name].chart} {charts()[name].version}" for name in installed(context)],
        "asked": _addon_requests(context),
        "present": [_with_oldest(addon) for addon in addons if addon in target.present],
        "observed": observed,
        "state_metrics": observed and uses_state_metrics(context),
        "pushes": any(
            entry.source.startswith(f"{placement}:") and entry.port == PROMETHEUS_PORT for entry in plan.links
        ),
        "senders": tuple(senders_to(context.system, placement)),
        "receiver": receiver_of(context.system, target),
        "prometheus_port": PROMETHEUS_PORT,
        "channels": bool(plan.of(Channel, placement)),
        "pagers": any(channel.value.type == "pagerduty" for channel in plan.of(Channel, placement)),
        "cluster_alerts": cluster_channel(context) is not None,
        "definitions": bool(installed_addons(context)),
        "images": _carries(context),
        "image": context.runtime_image if needs_runtime_image(plan, placement) else "",
        "image_of_site": Markup(f"'{context.runtime_image}'") if has_markers(context.runtime_image) else "",
        "secret_stores": tuple(_secret_stores(context)),
        "synced_secrets": tuple(_synced(context)),
        "installs_external_secrets": "external-secrets" in addons_to_install(plan, placement),
        "gateway": _gateway(context),
        "proxies": beside_the_gateway(context),
        "secrets": existing_secrets(plan.of(Secret, placement), context),
        "store_keys": store_keys(context),
        "metrics": tuple(_metrics(context)),
        "dashboards": _dashboards(context),
        "alerts": alert_rows(context),
        "reached": tuple(_reached(context)),
        "callers": tuple(caller_rows(context)),
        **yields_readme(context),
        "access_logs": tuple(access_logs(context)),
        **first_steps(context),
        "hosts": any(route.value.inference.endpoint.host for route in plan.of(Route, placement)),
        "stepped": tuple(_stepped(context)),
        "in_place": tuple(_in_place(context)),
        "disks": tuple(entry.name for entry in here if keeps(entry, plan, target)),
        "protected": [f"database {database.name}" for database in databases],
        "buckets": [bucket_name(bucket.value, context.system) for bucket in buckets],
        "logs": tuple(_logs(context)),
        "log_days": _log_days(context),
        "links": [link for link in plan.links if link.source.startswith(f"{placement}:") and link.what != "secret"],
        "files": [(f"{file.name}.yaml", _kinds(file, written)) for file, written in _written(workloads, context)],
        "open": _open(workloads, context),
        **crossing_values(context),
        "registry": registry_of(plan, placement) is not None,
        "not_backed_up": [database.name for database in databases_here(context)],
        "written": tuple(
            f"the Secret {name}"
            for name in (*(each.secret for each in crossings_on(context)), *registry_secrets(context))
        ),
        "overrides": [entry for overrides in overrides_on(context.system, placement).values() for entry in overrides],
    }


def _logs(context: Context) -> Iterator[tuple[str, str]]:
    """Yield the pipelines with stored logs, and the location of the logs."""
    for job in (resource.value for resource in context.plan.of(Job, context.placement)):
        if job.logs is not None:
            store, path = job.logs
            yield job.pipeline.name, context.uri(context.system.stores[store], f"{path}/")


def _log_days(context: Context) -> int:
    """Return after how many days the registry bucket deletes logs, or 0 if they are kept."""
    registry = context.system.registry
    store = context.system.stores.get(registry.artifacts) if registry is not None else None
    return log_days(store) if store is not None and not store.adopt else 0


def _with_oldest(addon: str) -> str:
    """Return the name of an existing add-on and its oldest supported version, if known."""
    oldest = charts()[addon].oldest
    return f"{addon} {oldest} or newer" if oldest else addon


def _addon_requests(context: Context) -> str:
    """Describe the total requests of installed add-ons, or return "" if there are none or machines are unknown."""
    if not context.target.capacity or not installed_addons(context):
        return ""
    size = asked_by_addons(context)
    return f"{number(size.cpu_millis / 1000)} CPUs and {number(round(size.memory_bytes / 1024**3, 1))}Gi"


def _pull_namespaces(context: Context) -> tuple[str, ...]:
    """Return the namespaces that need the pull secret. With a mirror, these include the add-on namespaces."""
    addons = installed_addons(context) if pull_secret_of_addons(context.target) else ()
    return tuple(dict.fromkeys((context.namespace, *(addon_namespace(addon, context) for addon in addons))))


def _budget(context: Context) -> Iterator[tuple[str, str]]:
    budget = context.system.governance.budget
    if budget is not None:
        yield "budget", f"{money_text(budget.monthly, budget.currency)} a month"


def _synced(context: Context) -> Iterator[tuple[str, NeededSecret]]:
    """Yield each secret that must exist in an External Secrets store, together with the store object's name."""
    seen: set[tuple[str, str]] = set()
    for secret in secrets_of(context.plan.on(context.placement), context):
        store = store_of(secret.ref, context)
        if store.via == "external-secrets" and (secret.ref.store, secret.ref.path) not in seen:
            seen.add((secret.ref.store, secret.ref.path))
            yield store_object(store, context), secret


def _secret_stores(context: Context) -> Iterator[str]:
    """Yield a description of each store object that External Secrets uses."""
    seen: set[str] = set()
    for secret in secrets_of(context.plan.on(context.placement), context):
        store = store_of(secret.ref, context)
        where = f" in the namespace {secret.namespace}" if store.scope == "namespace" else ""
        description = f"{store_kind(store, context)} {store_object(store, context)}{where}"
        if store.via == "external-secrets" and description not in seen:
            seen.add(description)
            yield description


def _gateway(context: Context) -> Gateway | None:
    """Return the Gateway or gateway class that routes depend on, or None if none has to exist beforehand."""
    gateway, ours = context.target.gateway, context.platform.gateway_class
    if gateway is None or (ours and gateway.class_name == ours):
        return None
    routes = (route.value for route in context.plan.of(Route, context.placement))
    used = any(needs_route(value, gateway) or value.inference.rollout.strategy == "incremental" for value in routes)
    return gateway if used else None


def _reached(context: Context) -> Iterator[ExposedEndpoint]:
    """Yield the endpoints behind a Gateway, with their possible callers."""
    gateway = context.target.gateway
    if gateway is None:
        return
    for resource in context.plan.of(Route, context.placement):
        route = resource.value
        endpoint = route.inference.endpoint
        who = _WHO[endpoint.exposure]
        if endpoint.exposure == "cluster" and not is_ours(gateway, context):
            who += ", and anyone who can reach the Gateway"
        if needs_route(route, gateway):
            name = gateway_name(gateway, endpoint.exposure, context)
            yield ExposedEndpoint(resource.name, name, _address(endpoint, gateway), who)
        elif route.inference.rollout.strategy == "incremental":
            yield ExposedEndpoint(
                resource.name, f"{route.backends[0].server}-gateway", f"http, any host, {endpoint.path}", who
            )


def _address(endpoint: Endpoint, gateway: Gateway) -> str:
    """Return an endpoint's address.

    For an existing Gateway, the scheme is omitted since we don't know whether it uses TLS.
    """
    scheme = "https" if gateway.certificate is not None else "http"
    if endpoint.host:
        return f"{endpoint.host}{endpoint.path}" if gateway.name else f"{scheme}://{endpoint.host}{endpoint.path}"
    return f"any host, {endpoint.path}" if gateway.name else f"{scheme}, any host, {endpoint.path}"


def _stepped(context: Context) -> Iterator[str]:
    """Yield the Services that bypass the steps of an incremental rollout."""
    for route in (resource.value for resource in context.plan.of(Route, context.placement)):
        if route.inference.rollout.strategy == "incremental":
            yield serve_service(route.backends[0].server)


def _in_place(context: Context) -> Iterator[str]:
    """Yield the names of servers that are updated in place, i.e. without a second server during the rollout."""
    for server in context.plan.of(ModelServer, context.placement):
        if server.value.applications[0].inference.rollout.strategy == "in-place":
            yield server.name


def _metrics(context: Context) -> Iterator[str]:
    """Yield the metrics retention, usable space and volume size if we install Prometheus."""
    if "prometheus" in addons_to_install(context.plan, context.placement):
        yield duration(kept_s(context.system))
        yield f"{used_gi(context.system, context.target)}Gi"
        yield f"{volume_gi(context.system, context.target)}Gi"


def _dashboards(context: Context) -> str:
    if "prometheus" not in addons_to_install(context.plan, context.placement) or context.target.edge:
        return ""
    namespace = addon_namespace("prometheus", context)
    return f"kubectl -n {namespace} port-forward service/kube-prometheus-stack-grafana 3000:80"


def _written(workloads: Workloads, context: Context) -> Iterator[tuple[File, Written]]:
    """Yield each manifest file with its object counts and policies, building only files not yet written."""
    for file in workloads.files:
        yield file, workloads.written(file) or written_of(file, context)


def _open(workloads: Workloads, context: Context) -> tuple[Open, ...]:
    """Return the allowed connections, including those of the object storage policy created by the program."""
    policies = (policy for _, written in _written(workloads, context) for policy in written.policies)
    rows = open_connections(policies, context.namespace)
    readers = Markup(", ".join(map(as_code, storage_readers(context))))
    storage = Open(readers, "connect to", Markup("object storage of the region"), "443")
    return (*rows, storage) if readers else rows


def _kinds(file: File, written: Written) -> str:
    kinds = written.kinds
    return ", ".join(kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items())
