"""Logins to our own registry: users, their Secrets, and their permissions."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.manifest import env_from_secret
from modelyard.plan import ByType, Job, Kind, MonitorJob, Promoter, Resource
from modelyard.records import record
from modelyard.source import Json
from modelyard.spec import Model
from modelyard.spec.watched import soaked
from modelyard.stack import Value
from modelyard_targets.kube.data.bundles import experiment, experiment_name, history_name, soaks_name
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.fixed import ADMIN_SECRET, LOGIN_SECRET, REGISTRY_NAME
from modelyard_targets.kube.placement.placed import registry_of
from modelyard_targets.kube.workload.describe import uses_registry

ADMIN_USER: Final = "admin"
SESSION_KEY: Final = "session-key"
LOGINS: Final = f"{REGISTRY_NAME}-logins"
LOGIN_KEYS: Final = ("username", "password")


@record
class Login:
    """A workload's MLflow user, which may read everything but only change the listed experiments and models."""

    identity: str
    experiments: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    moves: bool = False  # may move aliases of these models

    @property
    def user(self) -> str:
        """Return the MLflow user name, prefixed to avoid collisions with those of people."""
        return f"workload.{self.identity}"

    @property
    def secret(self) -> str:
        """Return the name of the Secret that contains the user name and password."""
        return f"{LOGIN_SECRET}{self.identity}"

    def variables(self) -> list[Value]:
        """Return the login as variables for MLflow's client."""
        user, password = LOGIN_KEYS
        return [
            env_from_secret("MLFLOW_TRACKING_USERNAME", self.secret, user),
            env_from_secret("MLFLOW_TRACKING_PASSWORD", self.secret, password),
        ]


def logins(context: Context) -> tuple[Login, ...]:
    """Return the MLflow users of a placement's workloads, without duplicates."""
    here = context.plan.on(context.placement)
    users = (login_of(resource, context) for resource in here if uses_registry(resource, context))
    return tuple({login.identity: login for login in users if login is not None}.values())


def registry_secrets(context: Context) -> tuple[str, ...]:
    """Return the names of the Secrets the program creates for the built-in registry."""
    return (ADMIN_SECRET, *(login.secret for login in logins(context))) if runs_here(context) else ()


def login_of(resource: Resource, context: Context) -> Login | None:
    """Return a workload's MLflow user, or None if the workload has no identity or the registry is elsewhere.

    Training pipelines may change their own model and experiment, and the promoter may change those of imported models.
    Monitors that roll back may change the models they watch, and monitors that judge soaks may record the results.
    """
    identity = context.identity(resource.workload)
    if identity is None or not runs_here(context):
        return None
    trained = trained_by(resource)
    if trained is not None:
        return Login(identity.name, (experiment_name(trained, context),), (trained.registered_name,))
    soaks = [soaks_name(model, context) for model in _witnessed_by(resource)]
    if moved := _moved_by(resource, context):
        histories = {model.registered_name: history_name(model, context) for model in moved}
        runs = [experiment_name(model, context) for model in _imported_by(resource)]
        experiments = sorted([*histories.values(), *runs, *soaks])
        return Login(identity.name, tuple(experiments), tuple(sorted(histories)), moves=True)
    if soaks:
        return Login(identity.name, tuple(sorted(soaks)))
    return Login(identity.name)


def _no_model(resource: Resource) -> Model | None:
    return None


def _of_training(resource: Resource[Job]) -> Model | None:
    return resource.value.model if resource.kind is Kind.TRAINING_JOB else None


trained_by: Final = ByType(_no_model).case(Job, _of_training)
"""Return the model that a training pipeline trains."""


def _moves_none(resource: Resource, context: Context) -> tuple[Model, ...]:
    return ()


def _by_promoter(resource: Resource[Promoter], context: Context) -> tuple[Model, ...]:
    return resource.value.models(context.system)


def _by_rollback(resource: Resource[MonitorJob], context: Context) -> tuple[Model, ...]:
    return resource.value.models if resource.value.monitor.on_breach.rollback else ()


_moved_by: Final = ByType(_moves_none).case(Promoter, _by_promoter).case(MonitorJob, _by_rollback)
"""Return the models whose aliases a workload moves. Only the promoter and monitors that roll back move aliases."""


def _no_models(resource: Resource) -> tuple[Model, ...]:
    return ()


def _of_imports(resource: Resource[Promoter]) -> tuple[Model, ...]:
    return resource.value.imported


def _of_soaks(resource: Resource[MonitorJob]) -> tuple[Model, ...]:
    return tuple(model for model in resource.value.models if soaked(model, resource.value.monitor))


_imported_by: Final = ByType(_no_models).case(Promoter, _of_imports)
"""Return the models that a workload registers without training them. Only the promoter does this."""

_witnessed_by: Final = ByType(_no_models).case(MonitorJob, _of_soaks)
"""Return the models whose soak results a monitor records."""


@lru_cache(maxsize=4)  # called for every model
def runs_here(context: Context) -> bool:
    """Return whether the registry runs on this placement."""
    return registry_of(context.plan, context.placement) is not None


def described_access(context: Context) -> dict[str, Json]:
    """Describe the registry's experiments (with artifact folders), models and MLflow users for the runtime."""
    users = logins(context)
    trained = [model for model in map(trained_by, context.plan.on(context.placement)) if model is not None]
    trained += [model for resource in context.plan.on(context.placement) for model in _imported_by(resource)]
    moved = [model for resource in context.plan.on(context.placement) for model in _moved_by(resource, context)]
    experiments = {experiment_name(model, context): experiment(model, context)["artifacts"] for model in trained}
    experiments |= {history_name(model, context): experiment(model, context)["artifacts"] for model in moved}
    soaking = [model for resource in context.plan.on(context.placement) for model in _witnessed_by(resource)]
    experiments |= {soaks_name(model, context): experiment(model, context)["artifacts"] for model in soaking}
    models: list[Json] = [*dict.fromkeys(name for login in users for name in login.models)]
    rights: dict[str, Json] = {
        login.user: {"experiments": list(login.experiments), "models": list(login.models)} for login in users
    }
    movers: list[Json] = [login.user for login in users if login.moves]
    return {"experiments": experiments, "models": models, "users": rights, "movers": movers}
