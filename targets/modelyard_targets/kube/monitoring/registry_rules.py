"""Registry alerts for the owner's on-call channel.

They report that the registry is down, the promoter isn't succeeding, a model hasn't been imported, or the database
password hasn't been rotated, if there is a CronJob for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import AlertRules, Promoter, RegistryServer, Resource
from modelyard.spec import Model
from modelyard.stack import Value
from modelyard_targets.kube.metrics.promql import duration, selector
from modelyard_targets.kube.metrics.run_series import last_failed, paused, since_success_s
from modelyard_targets.kube.monitoring.alert_rules import alert, alert_labels, group, prometheus_rule
from modelyard_targets.kube.monitoring.pipeline_rules import import_alerts, last_pushed
from modelyard_targets.kube.monitoring.runbooks import runbook
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import REGISTRY_NAME

_GONE_S: Final = 600
"""The longest start-up time of a server. A shorter limit would raise an alert when the server changes machines."""

_UNPROMOTED_S: Final = 1800
"""How long promotions may fail, enough for ten polls by the promoter."""

MISSING: Final = "modelyard_import_missing"
_UNIMPORTED_S: Final = 600
"""How long imports may fail. A source that is unavailable only once does not raise an alert."""


def lower_registry_rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    """Yield the registry's rules, or nothing if the `AlertRules` aren't for the registry."""
    value = resource.value
    if value.registry is not None:
        rules = [
            _gone(resource, context),
            *_promoter(resource, context),
            *_imports(resource, context),
            *_login(resource, value.registry, context),
        ]
        yield prometheus_rule(resource, [group(resource.name, rules, 60)], context)


def _gone(resource: Resource[AlertRules], context: Context) -> Value:
    chosen = selector({"namespace": context.namespace, "deployment": REGISTRY_NAME})
    texts = {
        "summary": "the registry has no available server",
        "description": f"MLflow has not answered in the last {duration(_GONE_S)}: runs fail, nothing is promoted, "
        "and servers that start find no model. Running servers keep theirs.",
        "runbook": runbook("registry"),
    }
    expression = f"max(kube_deployment_status_replicas_available{chosen}) == 0"
    return alert("ModelyardRegistryGone", expression, _GONE_S, alert_labels(resource, "page", context), texts)


def _promoter(resource: Resource[AlertRules], context: Context) -> Iterator[Value]:
    """Yield an alert for a promoter that isn't succeeding and therefore isn't promoting any versions."""
    for promoter in context.plan.of(Promoter, context.placement):
        texts = {
            "summary": "the promoter has not succeeded for half an hour",
            "description": "Versions that passed their gate and are approved may be waiting. Served models stay as "
            "they are.",
            "runbook": runbook("promoter"),
        }
        late = f"{since_success_s(promoter.name, context)} > {_UNPROMOTED_S}"
        late += f" unless on () {paused(promoter.name, _UNPROMOTED_S, context)}"
        yield alert("ModelyardPromoterMissing", late, 0, alert_labels(resource, "ticket", context), texts)


def _imports(resource: Resource[AlertRules], context: Context) -> Iterator[Value]:
    """Yield alerts for imported models, which have no pipeline rules that could include them."""
    for promoter in context.plan.of(Promoter, context.placement):
        for model in promoter.value.imported:
            yield _missing(model, resource, context)
            yield from import_alerts(model, resource, context)


def _missing(model: Model, resource: Resource[AlertRules], context: Context) -> Value:
    texts = {
        "summary": f"model {model.name} is not imported",
        "description": "The version in the spec is not in the registry: its source does not respond, or its "
        "files do not have the digest. Served models stay as they are.",
        "runbook": runbook("import"),
    }
    missing = last_pushed(MISSING, {"model": model.name}, context)
    labelled = {**alert_labels(resource, "ticket", context), "model": model.name}
    return alert("ModelyardImportMissing", missing, _UNIMPORTED_S, labelled, texts)


def _login(resource: Resource[AlertRules], server: RegistryServer, context: Context) -> Iterator[Value]:
    """Yield an alert for failures of the CronJob that rotates a database's password, if there is one."""
    name = rotation(server, context)
    if server.database is None or not name:
        return
    texts = {
        "summary": f"the password of database {server.database.name} was not rotated",
        "description": "The last run failed; the registry may lose its login. The next successful run ends the alert.",
        "runbook": runbook("login"),
    }
    expression = last_failed(name, context)
    yield alert("ModelyardLoginFailed", expression, 0, alert_labels(resource, "ticket", context), texts)


def rotation(server: RegistryServer, context: Context) -> str:
    """Return the name of the CronJob that rotates the registry database's password, or "" if there is none."""
    store = server.database
    managed = None if store is None or store.adopt else context.platform.database(store, context)
    return managed.rotation if managed else ""
