"""The model registry: MLflow, where and with which credentials the description says."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry.formats import DATA_ALONE, FORMAT_TAG, format_of
from modelyard_runtime.workload import records
from modelyard_runtime.workload.description import Section

if TYPE_CHECKING:
    import pandas as pd


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
    """Point MLflow at the registry of the description; its credentials are taken from the variables that it names."""
    import mlflow

    registry = workload.registry or records.Registry(uri="")
    uri = registry.uri or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        raise Refusal("this workload uses a model, and its description names no registry")
    for variable, source in (
        ("MLFLOW_TRACKING_USERNAME", registry.username_env),
        ("MLFLOW_TRACKING_PASSWORD", registry.password_env),
        ("MLFLOW_TRACKING_TOKEN", registry.token_env),
    ):
        if source:
            if not os.environ.get(source):
                raise Refusal(f"{source} is not set; the description says that it opens the registry")
            os.environ[variable] = os.environ[source]
    _open_artifacts(workload, registry.artifacts)
    if uri.startswith("file:"):
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # a laptop's registry: one user, no server, no database
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)


def open_experiment(model: records.Model) -> str:
    """Let runs from here on belong to the experiment of the model that is trained or imported. Returns its id.

    Its artifacts lie in the model's own folder, the only one that this workload may write.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    name, folder = model.experiment, model.artifacts.rstrip("/")
    existing = _client().get_experiment_by_name(name)
    if existing is None:
        try:
            _client().create_experiment(name, artifact_location=folder or None)
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":  # another run was faster
                raise
    elif folder and existing.artifact_location.rstrip("/") != folder:
        raise Refusal(
            f"experiment {name!r} keeps its artifacts at {existing.artifact_location}, "
            f"and this workload may write only below {folder}: rename the experiment"
        )
    return str(mlflow.set_experiment(name).experiment_id)


def _open_artifacts(workload: records.Workload, store: str) -> None:
    """MLflow reads and writes artifacts by boto3, which knows credentials by the names that AWS gave them."""
    found = workload.stores.get(store)
    if found is None:
        return
    for variable, source in (
        ("AWS_ACCESS_KEY_ID", found.access_key_id_env),
        ("AWS_SECRET_ACCESS_KEY", found.secret_access_key_env),
    ):
        if source and source in os.environ:
            os.environ[variable] = os.environ[source]
    if found.endpoint:
        os.environ["MLFLOW_S3_ENDPOINT_URL"] = found.endpoint
    if found.region:
        os.environ["AWS_DEFAULT_REGION"] = found.region


def version_at(name: str, alias: str) -> Version | None:
    """The version that an alias points to; None where it points to nothing yet."""
    from mlflow.exceptions import MlflowException

    try:
        found = _client().get_model_version_by_alias(name, alias)
    except MlflowException as problem:
        if problem.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            return None
        raise
    return _version(name, found)


def version(name: str, number: str) -> Version:
    """One version as it is now, with its tags."""
    return _version(name, _client().get_model_version(name, number))


def _version(name: str, found: Any) -> Version:
    tags = {str(key): str(value) for key, value in dict(found.tags or {}).items()}
    return Version(name, str(found.version), f"models:/{name}/{found.version}", tags, str(found.run_id or ""))


def versions(name: str) -> list[Version]:
    """All versions of a registered model; none where it does not exist yet."""
    found = _client().search_model_versions(f"name = '{name}'")
    return [_version(name, one) for one in found]


def tagged(name: str, value: str) -> list[Version]:
    """The versions of all models whose tag has this value, which has no quotes in it."""
    found = _client().search_model_versions(f"tags.`{name}` = '{value}'")
    return [_version(str(one.name), one) for one in found]


def tag(of: Version, tags: Mapping[str, str]) -> None:
    """Tags of a version, set or changed."""
    for key, value in tags.items():
        _client().set_model_version_tag(of.name, of.version, key, value)


def register(name: str, model_uri: str, tags: Mapping[str, str], text: str = "") -> Version:
    """A new version of a registered model, which is made when it is the first. `text` describes the version."""
    import mlflow

    made = mlflow.register_model(model_uri, name, tags=dict(tags))
    if text:
        _client().update_model_version(name, str(made.version), description=text)
    return version(name, str(made.version))


def create(name: str, source: str, run_id: str, tags: Mapping[str, str], text: str) -> Version:
    """A new version from files of a run, which has its tags from the first moment on."""
    from mlflow.exceptions import MlflowException

    try:
        _client().create_registered_model(name)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = _client().create_model_version(name, source, run_id, tags=dict(tags), description=text)
    return version(name, str(made.version))


def set_alias(name: str, alias: str, number: str) -> bool:
    """Point an alias at a version, whatever it points at now; false where the version does not exist any more.

    Of two that set an alias for the first time at once, MLflow's database refuses one, which succeeds when it tries
    again.
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
"""Where a run keeps what its data and answers looked like: monitors compare with it."""


def profiles(run_id: str) -> Section | None:
    """What was kept of the data of a run; None where it kept nothing."""
    from mlflow import artifacts

    folder, _, _ = PROFILES.rpartition("/")
    found = artifacts.list_artifacts(run_id=run_id, artifact_path=folder) or ()
    if PROFILES not in {one.path for one in found}:
        return None
    kept: Section = artifacts.load_dict(f"runs:/{run_id}/{PROFILES}")
    return kept


def run_began(run_id: str) -> str:
    """When a run began, as in ISO 8601: the same whenever it is asked."""
    return datetime.fromtimestamp(_client().get_run(run_id).info.start_time / 1000, UTC).isoformat()


def load(uri: str) -> Model:
    """A model, ready to predict: by its address in the registry, or by its folder."""
    import mlflow.pyfunc

    return Model(mlflow.pyfunc.load_model(uri))


def load_version(version: Version, digest: str) -> Model:
    """A version, ready to predict, from files that hash to this digest: others are refused before anything is loaded.

    Without a digest, which versions of others do not have, any are loaded; those of a bundle were compared when it was
    fetched. What is registered as data alone is loaded as that, or not at all. The files stay, since a model may read
    them again.
    """
    from mlflow import artifacts

    if not digest and version.tags.get(FORMAT_TAG) not in DATA_ALONE:
        return load(version.uri)
    folder = tempfile.mkdtemp(prefix="model-")
    local = Path(artifacts.download_artifacts(artifact_uri=version.uri, dst_path=folder))
    if why := _not_what_it_was(version, digest, local):
        shutil.rmtree(folder, ignore_errors=True)
        raise Refusal(f"version {version.version} of {version.name} is not loaded: {why}")
    return load(str(local))


def _not_what_it_was(version: Version, digest: str, files: Path) -> str:
    """Why these are not the files that were registered; empty where they are."""
    from modelyard_runtime.registry.lineage import content_digest

    found = content_digest(files) if digest else ""
    if found != digest:
        return f"its files hash to {found}, not to {digest}"
    registered = version.tags.get(FORMAT_TAG, "")
    written = format_of(files) if registered in DATA_ALONE else registered
    return "" if written == registered else f"it is registered as {registered}, and its files are {written}"


THRESHOLD = "modelyard.threshold"
"""Metadata of a logged model: the threshold that it was judged with, and that it answers with wherever it is used."""


@dataclass(frozen=True, slots=True)
class Column:
    """One input of a model's signature; `kind` is MLflow's word for its type, such as double or string."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Model:
    """Any MLflow model behind one call."""

    loaded: Any  # a PyFuncModel, which mlflow does not type

    def predict(self, rows: pd.DataFrame) -> Any:
        """What the model itself answers: an array, a frame or a list, a row of it for each row."""
        return self.loaded.predict(rows)

    def columns(self) -> tuple[Column, ...]:
        """The inputs of its signature, in order; empty where it names none."""
        schema = self.loaded.metadata.get_input_schema()
        if schema is None or not schema.has_input_names() or schema.is_tensor_spec():
            return ()
        return tuple(
            Column(one.name, str(getattr(one.type, "name", one.type)), bool(one.required)) for one in schema.inputs
        )

    def threshold(self) -> float | None:
        """The probability from which a row is of the positive class; it is part of the model's files."""
        found = (self.loaded.metadata.metadata or {}).get(THRESHOLD)
        return None if found is None else float(found)

    def classifier(self) -> Any | None:
        """The classifier behind, where it is one that gives probabilities by class; else None."""
        try:
            inner = self.loaded.get_raw_model()
        except NotImplementedError:
            return None
        return inner if hasattr(inner, "predict_proba") and hasattr(inner, "classes_") else None

    def estimator(self) -> Any | None:
        """The estimator behind, where it has the interface of scikit-learn and answers by `predict`; else None."""
        try:
            inner = self.loaded.get_raw_model()
        except NotImplementedError:
            return None
        flavor = self.loaded.metadata.flavors.get("python_function", {})
        kinds = {f"{one.__module__}.{one.__name__}" for one in type(inner).__mro__}
        answers = flavor.get("predict_fn", "predict") == "predict"
        return inner if "sklearn.base.BaseEstimator" in kinds and answers else None


def _client() -> Any:
    from mlflow import MlflowClient

    return MlflowClient()
