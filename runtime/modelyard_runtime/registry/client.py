"""A client for the MLflow model registry, using the address and credentials from the description."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import azure_artifacts
from modelyard_runtime.registry.formats import DATA_ALONE, FORMAT_TAG, format_of
from modelyard_runtime.storage.filesystem import artifact_variables
from modelyard_runtime.workload import records
from modelyard_runtime.workload.description import Section

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.exceptions import MlflowException


STORE = "MODELYARD_REGISTRY_STORE"
"""The environment variable in which `connect` stores the address of the registry's store."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model."""

    name: str
    version: str
    uri: str
    tags: Mapping[str, str]
    run_id: str


def connect(workload: records.Workload) -> None:
    """Configure MLflow for the registry in the description, reading its credentials from environment variables."""
    import mlflow

    registry = workload.registry or records.Registry(uri="")
    uri = registry.uri or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        raise Refusal("this workload uses a model, but its description names no registry")
    for variable, source in (
        ("MLFLOW_TRACKING_USERNAME", registry.username_env),
        ("MLFLOW_TRACKING_PASSWORD", registry.password_env),
        ("MLFLOW_TRACKING_TOKEN", registry.token_env),
    ):
        if source:
            if not os.environ.get(source):
                raise Refusal(f"{source} is not set; the workload description needs it to log in to the registry")
            os.environ[variable] = os.environ[source]
    _open_artifacts(workload, registry.artifacts)
    if uri.startswith("file:"):
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a registry on a laptop has one user, no server, no database
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)


def open_experiment(model: records.Model) -> str:
    """Select the trained or imported model's experiment for later runs, and return its ID.

    The experiment is created if necessary. Its artifacts are stored in the model's own folder, the only one this
    workload may write to.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    name, folder = model.experiment, model.artifacts.rstrip("/")
    existing = _client().get_experiment_by_name(name)
    if existing is None:
        try:
            _client().create_experiment(name, artifact_location=folder or None)
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":  # another run has already created it
                raise
    elif folder and existing.artifact_location.rstrip("/") != folder:
        raise Refusal(
            f"experiment {name!r} keeps its artifacts at {existing.artifact_location}, "
            f"but this workload can only write below {folder}: rename the experiment"
        )
    return str(mlflow.set_experiment(name).experiment_id)


def _open_artifacts(workload: records.Workload, store: str) -> None:
    """Set the environment variables MLflow uses to access artifacts, which depend on the store's protocol."""
    azure_artifacts.register()
    access = workload.stores.get(store)
    os.environ[STORE] = "" if access is None else access.uri
    if access is not None:
        os.environ.update(artifact_variables(access))


def stored_elsewhere(version: Version) -> str:
    """Return the address of a version's files if they are outside the registry's store, or "" otherwise.

    A login that may register versions can enter any address, and clients keep retrying for minutes if a store is
    unreachable.
    """
    store = urlsplit(os.environ.get(STORE, ""))
    address = str(_client().get_model_version_download_uri(version.name, version.version))
    files = urlsplit(address)
    return address if store.scheme and (files.scheme, files.netloc) != (store.scheme, store.netloc) else ""


def version_at(name: str, alias: str) -> Version | None:
    """Return the version at an alias, or None if the alias does not exist yet."""
    from mlflow.exceptions import MlflowException

    try:
        model_version = _client().get_model_version_by_alias(name, alias)
    except MlflowException as problem:
        if problem.error_code == "RESOURCE_DOES_NOT_EXIST" or _lacks_alias(name, problem):
            return None
        raise
    return _version(name, model_version)


def _lacks_alias(name: str, problem: MlflowException) -> bool:
    """Return whether a registry refused a lookup because the alias doesn't exist.

    MLflow uses the same error code for a missing alias and for a registry that can't be used at all, such as a database
    for which mlflow-skinny has no driver. A gate must not mistake the latter for a first version, so the registry has
    to return the model, which may have the alias by then.
    """
    from mlflow.exceptions import MlflowException

    if problem.error_code != "INVALID_PARAMETER_VALUE":
        return False
    try:
        _client().get_registered_model(name)
    except MlflowException as of_model:
        return bool(of_model.error_code == "RESOURCE_DOES_NOT_EXIST")
    return True


def version(name: str, number: str) -> Version:
    """Fetch a version with its current tags."""
    return _version(name, _client().get_model_version(name, number))


def version_if_any(name: str, number: str) -> Version | None:
    """Fetch a version with its current tags, or return None if it doesn't exist yet."""
    from mlflow.exceptions import MlflowException

    try:
        return version(name, number)
    except MlflowException as problem:
        if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _version(name: str, model_version: Any) -> Version:
    tags = {str(key): str(value) for key, value in dict(model_version.tags or {}).items()}
    return Version(
        name,
        str(model_version.version),
        f"models:/{name}/{model_version.version}",
        tags,
        str(model_version.run_id or ""),
    )


def versions(name: str) -> list[Version]:
    """Return all versions of a registered model, or an empty list if it doesn't exist yet."""
    model_versions = _client().search_model_versions(f"name = '{name}'")
    return [_version(name, model_version) for model_version in model_versions]


def tagged(name: str, value: str) -> list[Version]:
    """Return the versions of all models that have this tag value, which must not contain quotes."""
    model_versions = _client().search_model_versions(f"tags.`{name}` = '{value}'")
    return [_version(str(model_version.name), model_version) for model_version in model_versions]


def tag(version: Version, tags: Mapping[str, str]) -> None:
    """Set or change a version's tags."""
    for key, value in tags.items():
        _client().set_model_version_tag(version.name, version.version, key, value)


def register(name: str, model_uri: str, tags: Mapping[str, str], text: str = "") -> Version:
    """Register a new version, creating the registered model if necessary. `text` is the version's description."""
    import mlflow

    model_version = mlflow.register_model(model_uri, name, tags=dict(tags))
    if text:
        _client().update_model_version(name, str(model_version.version), description=text)
    return version(name, str(model_version.version))


def create(name: str, source: str, run_id: str, tags: Mapping[str, str], text: str) -> Version:
    """Create a new version from a run's files. Its tags are set on creation."""
    from mlflow.exceptions import MlflowException

    try:
        _client().create_registered_model(name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_version = _client().create_model_version(name, source, run_id, tags=dict(tags), description=text)
    return version(name, str(model_version.version))


def set_alias(name: str, alias: str, number: str) -> bool:
    """Move an alias to a version. Returns False if the version no longer exists.

    If two clients create an alias at the same time, MLflow's database rejects one of them, which then succeeds on
    retry.
    """
    from mlflow.exceptions import MlflowException

    for attempt in range(_TRIES):
        try:
            _client().set_registered_model_alias(name, alias, number)
        except MlflowException as problem:
            if problem.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            if problem.error_code != "BAD_REQUEST" or attempt == _TRIES - 1:
                raise
        else:
            break
    return True


PROFILES = "modelyard/profiles.json"
"""The path at which a run stores profiles of its data and predictions for monitors."""


def profiles(run_id: str) -> Section | None:
    """Return the profiles that a run stored, or None."""
    from mlflow import artifacts

    folder, _, _ = PROFILES.rpartition("/")
    entries = artifacts.list_artifacts(run_id=run_id, artifact_path=folder) or ()
    if PROFILES not in {entry.path for entry in entries}:
        return None
    document: Section = artifacts.load_dict(f"runs:/{run_id}/{PROFILES}")
    return document


def run_began(run_id: str) -> str:
    """Return a run's start time in ISO 8601, always as the same string."""
    return datetime.fromtimestamp(_client().get_run(run_id).info.start_time / 1000, UTC).isoformat()


def load(uri: str) -> Model:
    """Load a model for prediction by its registry URI or folder."""
    import mlflow.pyfunc

    return Model(mlflow.pyfunc.load_model(uri))


def load_version(version: Version, digest: str) -> Model:
    """Load a version for prediction, refusing files that don't match the digest before anything is loaded.

    Versions registered by others have no digest, so their files aren't verified. Bundle files are verified when they
    are fetched. A version registered in a data-only format is loaded only in that format. The files aren't deleted,
    since a model may read them again.
    """
    if not digest and version.tags.get(FORMAT_TAG) not in DATA_ALONE:
        return load(version.uri)
    return load(str(fetch(version, digest)))


def fetch(version: Version, digest: str) -> Path:
    """Download a version's files into a new folder, refusing files that don't match the digest."""
    from mlflow import artifacts

    folder = tempfile.mkdtemp(prefix="model-")
    local = Path(artifacts.download_artifacts(artifact_uri=version.uri, dst_path=folder))
    if reason := _difference(version, digest, local):
        shutil.rmtree(folder, ignore_errors=True)
        raise Refusal(f"version {version.version} of {version.name} is not loaded: {reason}")
    return local


def _difference(version: Version, digest: str, files: Path) -> str:
    """Return how the files differ from the registered ones, or "" if they don't."""
    from modelyard_runtime.registry.lineage import content_digest

    actual = content_digest(files) if digest else ""
    if actual != digest:
        return f"its files hash to {actual}, not to {digest}"
    registered_format = version.tags.get(FORMAT_TAG, "")
    actual_format = format_of(files) if registered_format in DATA_ALONE else registered_format
    return (
        ""
        if actual_format == registered_format
        else f"it is registered as {registered_format}, but its files are {actual_format}"
    )


THRESHOLD = "modelyard.threshold"
"""Metadata of a logged model: the threshold in its evaluation, which is used for all its predictions."""


@dataclass(frozen=True, slots=True)
class Column:
    """An input in a model's signature. `kind` is MLflow's name for its type, e.g. double or string."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A uniform interface to any MLflow model."""

    loaded: Any  # a PyFuncModel, for which MLflow has no types

    def predict(self, rows: pd.DataFrame) -> Any:
        """Return the model's raw predictions as an array, frame or list with one entry per row."""
        return self.loaded.predict(rows)

    def columns(self) -> tuple[Column, ...]:
        """Return the inputs in the order of the signature, or an empty tuple if it doesn't name any."""
        schema = self.loaded.metadata.get_input_schema()
        if schema is None or not schema.has_input_names() or schema.is_tensor_spec():
            return ()
        return tuple(
            Column(column.name, str(getattr(column.type, "name", column.type)), bool(column.required))
            for column in schema.inputs
        )

    def threshold(self) -> float | None:
        """Return the stored probability threshold from which a row counts as positive, if any."""
        stored = (self.loaded.metadata.metadata or {}).get(THRESHOLD)
        return None if stored is None else float(stored)

    def classifier(self) -> Any | None:
        """Return the underlying classifier, or None if it doesn't predict class probabilities."""
        try:
            raw_model = self.loaded.get_raw_model()
        except NotImplementedError:
            return None
        return raw_model if hasattr(raw_model, "predict_proba") and hasattr(raw_model, "classes_") else None

    def estimator(self) -> Any | None:
        """Return the underlying estimator, or None unless it has scikit-learn's interface and uses `predict`."""
        try:
            raw_model = self.loaded.get_raw_model()
        except NotImplementedError:
            return None
        flavor = self.loaded.metadata.flavors.get("python_function", {})
        kinds = {f"{base.__module__}.{base.__name__}" for base in type(raw_model).__mro__}
        predicts = flavor.get("predict_fn", "predict") == "predict"
        return raw_model if "sklearn.base.BaseEstimator" in kinds and predicts else None


def _client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient()
