"""Building blocks shared by several descriptions: stores, datasets, models and checks."""

from __future__ import annotations

import json
from collections.abc import Mapping

from modelyard.hashing import sha256
from modelyard.plan import Application
from modelyard.sites.binding import with_digest
from modelyard.source import Json
from modelyard.spec import Capture, Check, Dataset, Generation, Model, ModelRef, Store, System
from modelyard.stack import Value
from modelyard_targets.kube.data.crossing import crosses
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import driver_of, region_of


def digest(value: Value) -> str:
    """Return the first 16 hex digits of the SHA-256 of a value's JSON (UTF-8, sorted keys, no spaces).

    If the value contains site-specific parts, a hash of those is appended.
    """
    return brief_digest(value, 16)


def brief_digest(value: Value, digits: int) -> str:
    """Return the first `digits` of a value's hash, followed by a hash of any site-specific parts."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return with_digest(sha256(text.encode()).hexdigest()[:digits], text)


def revision(described: Mapping[str, Json]) -> str:
    """Return the digest a Serve application uses to recognize its entry in the description."""
    return str(described.get("revision") or digest(described))


def with_revision(described: dict[str, Json], context: Context) -> dict[str, Json]:
    """Add the digest to an application's entry if the target has sites, since only a site knows its full entry."""
    return described if context.target.sites is None else {**described, "revision": digest(described)}


def serve_prefix(application: Application) -> str:
    """Return an application's path, which is the endpoint's path or else the prefix on a shared server."""
    path = application.inference.endpoint.path.rstrip("/")
    return path or application.route_prefix


def store_variable(store: str, what: str) -> str:
    """Return the name of the environment variable for one of a store's credentials."""
    return f"MODELYARD_STORE_{store.upper().replace('-', '_')}_{what}"


def describe_registry(context: Context) -> dict[str, Json]:
    """Describe the registry with the names of the variables for its credentials."""
    registry = context.system.registry
    described: dict[str, Json] = {"uri": context.registry_uri}
    if registry is not None and registry.artifacts:
        described["artifacts"] = registry.artifacts
    if registry is not None and registry.credentials is not None:
        if registry.credentials.key:
            described["tokenEnv"] = "MLFLOW_TRACKING_TOKEN"
        else:
            described["usernameEnv"] = "MLFLOW_TRACKING_USERNAME"
            described["passwordEnv"] = "MLFLOW_TRACKING_PASSWORD"
    return described


def describe_store(store: Store, context: Context) -> dict[str, Json]:
    """Describe an object store, including the names of the variables that hold its credentials."""
    described: dict[str, Json] = {"uri": context.uri(store)}
    if store.endpoint:
        described["endpoint"] = store.endpoint
    region = region_of(store, context.system)
    if region:
        described["region"] = region
    if store.credentials is not None or crosses(store, context):
        for key in driver_of(store, context.system).keys:
            described[key.field] = store_variable(store.name, key.variable)
    return described


def _dataset(dataset: Dataset, context: Context) -> dict[str, Json]:
    described: dict[str, Json] = {"uri": dataset.uri, "format": dataset.format}
    if dataset.store:
        described["uri"] = context.uri(context.system.stores[dataset.store], dataset.path)
        described["store"] = dataset.store
    if dataset.description:
        described["description"] = dataset.description
    if dataset.schema:
        described["schema"] = dict(dataset.schema)
    if dataset.features:
        described["features"] = list(dataset.features)
    for key, text in (("label", dataset.label), ("timestamp", dataset.timestamp), ("group", dataset.group)):
        if text:
            described[key] = text
    if dataset.delay_s is not None:
        described["delaySeconds"] = dataset.delay_s
    if dataset.classification:
        described["classification"] = dataset.classification
    return described


def describe_datasets(names: list[str], context: Context) -> dict[str, Json]:
    """Describe the named datasets, without duplicates and empty names."""
    return {name: _dataset(context.system.data[name], context) for name in dict.fromkeys(names) if name}


def describe_model(model: Model, ref: ModelRef | None = None) -> dict[str, Json]:
    """Describe a model in the registry, with the referenced version."""
    described: dict[str, Json] = {"name": model.name, "registeredName": model.registered_name}
    if ref is not None:
        version = ref.alias.isascii() and ref.alias.isdigit()
        described["uri"] = f"models:/{model.registered_name}{'/' if version else '@'}{ref.alias}"
        described["version" if version else "alias"] = ref.alias
    described["task"] = model.task
    return described


def describe_generation(application: Application, generation: Generation, system: System) -> dict[str, Json]:
    """Describe how a language model generates. Requests name the endpoint so that versions and models can change.

    Like its Service, an endpoint renamed with `moved` keeps its original name so that clients don't have to change.
    """
    described: dict[str, Json] = {
        "model": system.original_name("inference", application.inference.name),
        "maxTokens": generation.max_tokens,
        "concurrency": generation.concurrency,
    }
    if generation.context_length is not None:
        described["contextLength"] = generation.context_length
    accelerator = application.hardware.accelerator
    if accelerator is not None:
        described["accelerators"] = accelerator.count
    slo = application.inference.slo
    if slo is not None and slo.first_token_ms:
        described["firstTokenObjectives"] = [bound_ms / 1000 for _, bound_ms in slo.first_token_ms]
    if slo is not None and slo.tokens_per_second is not None:
        described["tokenRateObjective"] = slo.tokens_per_second.minimum
    return described


def describe_made_model(model: Model) -> dict[str, Json]:
    """Describe a model that the workload trains or imports, including its card and explainability settings."""
    described = {**describe_model(model), "framework": model.framework}
    if model.threshold is not None:
        described["threshold"] = model.threshold
    card = model.card
    texts = {
        "purpose": card.purpose,
        "limitations": card.limitations,
        "contact": card.contact,
        "license": card.license,
    }
    if any(texts.values()):
        described["card"] = {key: text for key, text in texts.items() if text}
    if model.explainability is not None:
        described["explainability"] = {"method": model.explainability.method, "sample": model.explainability.sample}
    return described


def capture_place(capture: Capture, context: Context) -> dict[str, Json]:
    """Return the location of an endpoint's captures."""
    uri = context.uri(context.system.stores[capture.store], capture.path.rstrip("/") + "/")
    redacted: dict[str, Json] = {"redact": list(capture.redact)} if capture.redact else {}
    return {"uri": uri, "store": capture.store, **redacted}


def describe_check(check: Check, monitor: bool) -> dict[str, Json]:
    """Describe a check in a gate or monitor. Only monitor checks have a severity."""
    described: dict[str, Json] = {"name": check.name, "metric": check.metric}
    if check.minimum is not None:
        described["min"] = check.minimum
    if check.maximum is not None:
        described["max"] = check.maximum
    if check.versus:
        described["versus"] = check.versus
        described["minDelta"] = check.min_delta
        described["confidence"] = check.confidence
    if check.by:
        described["by"] = check.by
    if check.max_difference is not None:
        described["maxDifference"] = check.max_difference
    if check.min_rows is not None:
        described["minRows"] = check.min_rows
    if check.data:
        described["data"] = check.data
    if check.features:
        described["features"] = list(check.features)
    if check.min_features > 1:
        described["minFeatures"] = check.min_features
    if check.consecutive > 1:
        described["consecutive"] = check.consecutive
    if monitor:
        described["severity"] = check.severity
    return described
