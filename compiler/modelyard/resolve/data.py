"""Resolve stores, the registry, datasets and models."""

from __future__ import annotations

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, flag, integer, mapping, named_nodes, number, pairs, text, texts
from modelyard.resolve.changes import called
from modelyard.resolve.pipelines import model_ref
from modelyard.resolve.quantities import seconds, seconds_or, size
from modelyard.resolve.scope import Scope, reference, secret, store
from modelyard.resolve.stages import first_stage, stages_of
from modelyard.source import Path
from modelyard.spec import (
    Approval,
    Check,
    Dataset,
    Deployment,
    Explainability,
    Governance,
    Metadata,
    Model,
    ModelCard,
    ModelImport,
    ObjectLock,
    Registry,
    Stage,
    Store,
)

_DATABASE_BYTES = 20 * 1024**3
_DATABASE_REPLICAS = 3  # enterprises get three so that one may fail while another is being replaced


def resolve_stores(scope: Scope, deployment: Deployment) -> dict[str, Store]:
    """Resolve object stores and databases. A managed database has three instances in an enterprise, otherwise one."""
    return {
        name: _store(scope, name, node, deployment.placement.default)
        for name, node in named_nodes(scope.root, "stores")
    }


def _store(scope: Scope, name: str, node: Node, default_target: str) -> Store:
    path = ("stores", name)
    kind = text(node, "type")
    target = reference(scope, "targets", node, "target", path, default_target)
    adopt = text(node, "adopt")
    managed_database = kind == "database" and not adopt
    redundant = scope.enterprise and target not in scope.edges
    replicas = number(node, "replicas")
    size_bytes = size(scope, node, "size", path)
    if managed_database:
        size_bytes = size_bytes or _DATABASE_BYTES
        replicas = replicas or (_DATABASE_REPLICAS if redundant else 1)
    return Store(
        name=name,
        called=called(scope, "stores", name),
        type=kind,
        target=target,
        adopt=adopt,
        endpoint=text(node, "endpoint"),
        region=text(node, "region"),
        credentials=secret(node, "credentials"),
        credentials_per=text(node, "credentialsPer", "store"),
        versioned=flag(node, "versioned", default=True),
        retention_s=seconds(scope, node, "retention", path),
        object_lock=_lock(scope, mapping(node, "objectLock"), (*path, "objectLock")) if "objectLock" in node else None,
        size_bytes=size_bytes,
        replicas=None if replicas is None else int(replicas),
        encryption_key=text(node, "encryptionKey"),
    )


def _lock(scope: Scope, node: Node, path: Path) -> ObjectLock:
    return ObjectLock(text(node, "mode"), seconds_or(scope, node, "retain", path, 0))


def resolve_registry(scope: Scope) -> Registry | None:
    """Resolve the model registry, if the spec has one."""
    if "registry" not in scope.root:
        return None
    node, path = mapping(scope.root, "registry"), ("registry",)
    return Registry(
        adopt=text(node, "adopt"),
        credentials=secret(node, "credentials"),
        database=store(scope, "database", node, "database", path),
        artifacts=store(scope, "object", node, "artifacts", path),
        artifact_path=text(node, "artifactPath", "mlflow"),
    )


def resolve_data(scope: Scope) -> dict[str, Dataset]:
    """Resolve the datasets."""
    return {name: _dataset(scope, name, node) for name, node in named_nodes(scope.root, "data")}


def _dataset(scope: Scope, name: str, node: Node) -> Dataset:
    path = ("data", name)
    return Dataset(
        name=name,
        format=text(node, "format"),
        store=store(scope, "object", node, "store", path),
        path=text(node, "path"),
        uri=text(node, "uri"),
        description=text(node, "description"),
        schema=pairs(node, "schema"),
        features=texts(node, "features"),
        label=text(node, "label"),
        timestamp=text(node, "timestamp"),
        group=text(node, "group"),
        delay_s=seconds(scope, node, "delay", path),
        classification=text(node, "classification"),
    )


def resolve_models(scope: Scope, metadata: Metadata, governance: Governance) -> dict[str, Model]:
    """Resolve the models. A model without a `registeredName` is registered as `<system>-<model>`."""
    approval = governance.approve_promotion
    return {
        name: _model(scope, name, node, metadata.name, approval) for name, node in named_nodes(scope.root, "models")
    }


def _model(scope: Scope, name: str, node: Node, system: str, approval: Approval | None) -> Model:
    path = ("models", name)
    stages = stages_of(scope, node, path, approval)
    return Model(
        name=name,
        task=text(node, "task"),
        framework=text(node, "framework"),
        registered_name=text(node, "registeredName") or f"{system}-{name}",
        card=_card(mapping(node, "card")),
        validation=tuple(
            check_of(scope, line, entry, (*path, "validation", line)) for line, entry in named_nodes(node, "validation")
        ),
        explainability=_explainability(mapping(node, "explainability")) if "explainability" in node else None,
        threshold=number(node, "threshold"),
        stages=stages,
        imported=_import(scope, mapping(node, "import"), (*path, "import"), stages) if "import" in node else None,
        base=model_ref(scope, text(node, "base"), (*path, "base")) if "base" in node else None,
    )


def _import(scope: Scope, node: Node, path: Path, stages: tuple[Stage, ...]) -> ModelImport:
    """Resolve the source of an imported model. `promoteTo` defaults to the model's first stage."""
    return ModelImport(
        digest=text(node, "digest"),
        uri=text(node, "uri"),
        store=store(scope, "object", node, "store", path),
        path=text(node, "path"),
        promote_to=text(node, "promoteTo", first_stage(stages) or "champion"),
    )


def _confidence(level: str) -> float:
    return 0.0 if level == "none" else int(level.removesuffix("%")) / 100


def _card(node: Node) -> ModelCard:
    return ModelCard(text(node, "purpose"), text(node, "limitations"), text(node, "contact"), text(node, "license"))


def _explainability(node: Node) -> Explainability:
    return Explainability(text(node, "method"), integer(node, "sample", 1000))


def check_of(scope: Scope, name: str, node: Node, path: Path) -> Check:
    """Resolve a check in a model's gate or in a monitor, with its bounds."""
    if not node.keys() & {"min", "max", "versus", "maxDifference"}:
        bounds = "`min`, `max`, or `versus: champion`" if path[0] == "models" else "`min` or `max`"
        scope.report(problems.no_threshold(scope.document.key_span(path), name, bounds))
    return Check(
        name=name,
        metric=text(node, "metric", name),
        minimum=number(node, "min"),
        maximum=number(node, "max"),
        versus=text(node, "versus"),
        min_delta=number(node, "minDelta") or 0.0,
        confidence=_confidence(text(node, "confidence", "95%")),
        by=text(node, "by"),
        max_difference=number(node, "maxDifference"),
        min_rows=integer(node, "minRows", 0) or None,
        data=reference(scope, "data", node, "data", path),
        features=texts(node, "features"),
        min_features=integer(node, "minFeatures", 1),
        consecutive=integer(node, "consecutive", 1),
        severity=text(node, "severity", "page"),
    )
