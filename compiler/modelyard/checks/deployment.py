"""Check a system's deployment: mode, residency, prices, provider-specific settings, and unused entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.regions import regions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import deployment as problems
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import System, TargetSpec, target_path
from modelyard.spec.imports import bucket_and_folder, imported
from modelyard.spec.scoring import scorings

_ALLOWED = {
    "cloud": "clouds, and clusters with tenancy: private-cloud",
    "on-prem": "your own clusters (provider: kubernetes, not tenancy: private-cloud)",
    "hybrid": "clouds and your own clusters",
    "local": "this machine (provider: local)",
}
_FITTING = {
    "cloud": frozenset({"cloud"}),
    "on-prem": frozenset({"cluster"}),
    "hybrid": frozenset({"cloud", "cluster"}),
    "local": frozenset({"local"}),
}


def _kind(target: TargetSpec) -> str:
    if target.in_cloud or target.tenancy == "private-cloud":
        return "cloud"
    return "local" if target.provider == "local" else "cluster"


def _words(target: TargetSpec) -> str:
    return "a private cloud" if target.tenancy == "private-cloud" else target.provider


def mode(system: System) -> Iterator[Diagnostic]:
    """Require the mode to allow every target's kind. Hybrid systems need both cloud and own-cluster targets."""
    deployment = system.deployment
    kinds = {target.name: _kind(target) for target in deployment.targets}
    for target in deployment.targets:
        if kinds[target.name] not in _FITTING[deployment.mode]:
            span = system.at(*target_path(system, target.name), "provider")
            allowed = _ALLOWED[deployment.mode]
            yield problems.target_outside_mode(span, target.name, _words(target), deployment.mode, allowed)
    if deployment.mode == "hybrid":
        present = set(kinds.values())
        if "cloud" not in present:
            yield problems.hybrid_of_one_kind(system.at("deployment", "mode"), "a cloud", "on-prem")
        if "cluster" not in present:
            yield problems.hybrid_of_one_kind(system.at("deployment", "mode"), "one of your own clusters", "cloud")


def residency(system: System) -> Iterator[Diagnostic]:
    """Require every target and bucket to be in an allowed region. The local machine is exempt."""
    allowed = system.governance.residency
    if not allowed:
        return
    for target in system.deployment.targets:
        path = target_path(system, target.name)
        if target.in_cloud:
            yield from _region(system, target, target.region, (*path, "region"), f"target '{target.name}'")
        elif target.provider == "kubernetes" and not target.residency:
            yield problems.residency_missing(system.key(*path), target.name, allowed)
        elif target.residency and not regions().within(target.residency, allowed):
            span = system.at(*path, "residency")
            yield problems.residency_outside(span, f"target '{target.name}'", target.residency, allowed)
    targets = {target.name: target for target in system.deployment.targets}
    for store in system.stores.values():
        target = targets[store.target]
        if store.region and not store.endpoint and target.in_cloud:
            path = ("stores", store.name, "region")
            yield from _region(system, target, store.region, path, f"store '{store.name}'")


def _region(system: System, target: TargetSpec, region: str, path: Path, subject: str) -> Iterator[Diagnostic]:
    countries = regions().countries[target.provider]
    allowed = system.governance.residency
    country = countries.get(region)
    if country is None:
        inside = [name for name, code in countries.items() if regions().within(code, allowed)]
        yield problems.region_unknown(system.at(*path), region, target.provider, inside, allowed)
    elif not regions().within(country, allowed):
        yield problems.residency_outside(system.at(*path), subject, f"{region} ({country})", allowed)


def prices(system: System) -> Iterator[Diagnostic]:
    """Require machine prices in the budget's currency."""
    budget = system.governance.budget
    if budget is None:
        return
    for target in system.deployment.targets:
        for at, machines in enumerate(target.capacity):
            if machines.currency and machines.currency != budget.currency:
                span = system.at(*target_path(system, target.name), "capacity", at, "price")
                yield problems.price_currency(span, machines.currency, budget.currency)


def binding(system: System) -> Iterator[Diagnostic]:
    """Report raw addresses and overrides, which tie a spec to one provider, along with their total count."""
    bound: list[tuple[Path, str]] = [
        (("data", data.name, "uri"), f"the address of dataset '{data.name}'")
        for data in system.data.values()
        if data.uri and not data.uri.startswith("file:")
    ]
    bound += [
        (("stores", store.name, "encryptionKey"), f"the key of store '{store.name}'")
        for store in system.stores.values()
        if store.encryption_key
    ]
    bound += [(("overrides", override.name), f"override '{override.name}'") for override in system.overrides]
    for number, (path, setting) in enumerate(bound, 1):
        yield problems.binds_to_provider(system.key(*path), setting, number, len(bound))


def images(system: System) -> Iterator[Diagnostic]:
    """Report each user image with a moving tag at its first use in the spec."""
    image_paths: list[tuple[str, Path]] = []
    for pipeline in system.pipelines.values():
        image_paths += [(step.source.image, (*step.path, "source", "image")) for step in pipeline.steps]
    image_paths += [
        (inference.source.image, ("inference", inference.name, "source", "image"))
        for inference in system.inference.values()
    ]
    reported: set[str] = set()
    for image, path in image_paths:
        if image.endswith(":latest") and image not in reported:
            reported.add(image)
            yield problems.image_moves(system.at(*path), image)


def local_files(system: System) -> Iterator[Diagnostic]:
    """Report local files that workloads on a cluster would have to read."""
    local = {data.name for data in system.data.values() if data.uri.startswith("file:")}
    if not local:
        return
    clusters = {target.name for target in system.deployment.targets if target.provider != "local"}
    reported: set[str] = set()
    for pipeline in system.pipelines.values():
        if pipeline.target not in clusters:
            continue
        used = {*pipeline.inputs, pipeline.output, *(name for step in pipeline.steps for name in step.inputs)}
        for name in sorted((used & local) - reported):
            reported.add(name)
            yield problems.local_uri_on_cluster(system.at("data", name, "uri"), name, pipeline.target)


def unused(system: System) -> Iterator[Diagnostic]:
    """Report unused compute classes, stores, datasets, models and channels."""
    for section, kind, used in (
        ("compute", "compute class", _used_compute(system)),
        ("stores", "store", _used_stores(system)),
        ("data", "dataset", _used_data(system)),
        ("models", "model", _used_models(system)),
        ("channels", "channel", _used_channels(system)),
    ):
        declared = system.document.value.get(section)
        for name in declared if isinstance(declared, dict) else ():
            if name not in used:
                yield problems.unused(system.key(section, name), kind, name)


def _used_compute(system: System) -> set[str]:
    used = {step.compute for pipeline in system.pipelines.values() for step in pipeline.steps}
    used |= {variant.compute for inference in system.inference.values() for variant in inference.variants}
    return used | {monitor.compute for monitor in system.monitors.values()}


def _used_stores(system: System) -> set[str]:
    used = {data.store for data in system.data.values()}
    used |= {inference.capture.store for inference in system.inference.values() if inference.capture}
    for source in (model.imported for model in imported(system) if model.imported is not None):
        bucket, _ = bucket_and_folder(source.uri)
        used |= {source.store, *(store.name for store in system.stores.values() if bucket and store.adopt == bucket)}
    return used | ({system.registry.database, system.registry.artifacts} if system.registry else set())


def _used_data(system: System) -> set[str]:
    used: set[str] = set()
    for pipeline in system.pipelines.values():
        used.update(pipeline.inputs, (pipeline.output,))
        for step in pipeline.steps:
            used.update(() if step.inputs is pipeline.inputs else step.inputs, (step.output,))
    for monitor in system.monitors.values():
        used.update((monitor.labels, monitor.watch.removeprefix("data.")))
        if monitor.reference:
            used.add(monitor.reference.data)
    return used | {check.data for model in system.models.values() for check in model.validation}


def _used_models(system: System) -> set[str]:
    used = {pipeline.model.model for pipeline in system.pipelines.values() if pipeline.model}
    used |= {scoring.model.model for scoring in scorings(system)}
    used |= {model.base.model for model in system.models.values() if model.base is not None}
    used |= {model.name for model in imported(system)}  # like a trained model, it may be used outside the system
    return used | {ref.model for inference in system.inference.values() for ref in inference.models}


def _used_channels(system: System) -> set[str]:
    used = {channel for monitor in system.monitors.values() for channel in monitor.on_breach.notify}
    return used | {system.governance.owner.oncall}


RULES: Final[tuple[Rule, ...]] = (mode, residency, prices, binding, images, local_files, unused)
