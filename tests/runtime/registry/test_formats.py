"""Tests that models are saved without pickle if possible, and that otherwise the model card has a warning."""

from __future__ import annotations

import io
import pickletools
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from lightgbm import Booster as LightGBMBooster
from lightgbm import LGBMClassifier, LGBMRanker
from mlflow.artifacts import download_artifacts
from mlflow.sklearn import load_model, save_model
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

from modelyard_runtime.capabilities import trainers
from modelyard_runtime.models.answers import CLASSIFICATION, answer
from modelyard_runtime.networks import NetworkClassifier
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import FORMAT_TAG, flavor_of, format_of, warning_of
from modelyard_runtime.registry.lineage import card_text
from modelyard_runtime.training.boosting import parameters_of, restored
from modelyard_runtime.training.data import GROUP, TrainingData
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.training.trainers import estimator, grow, prepared
from modelyard_runtime.workload.records import Model, PipelineWorkload, Workload
from tests.runtime.described import record

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

TRAINERS = [
    ("scikit-learn", {"estimator": "hist-gradient-boosting", "max_iter": 3}),
    ("scikit-learn", {"estimator": "random-forest", "n_estimators": 3, "n_jobs": 1}),  # threads add in any order
    ("scikit-learn", {"estimator": "linear"}),
    ("xgboost", {"n_estimators": 3, "n_jobs": 1}),
    ("lightgbm", {"n_estimators": 3, "n_jobs": 1}),
]
CASES = [
    (trainer, parameters, task)
    for trainer, parameters in TRAINERS
    for task in ("binary-classification", "multiclass-classification", "regression", "forecasting", "ranking")
    if task != "ranking" or trainer != "scikit-learn"
]
CARD: dict[str, Any] = {
    "card": {"purpose": "Asks who may leave.", "limitations": "Not for prices." * 1000},
    "framework": "custom",
}


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A custom scikit-learn estimator."""

    def fit(self, rows: Any, target: Any) -> Own:
        self.classes_ = np.unique(target)
        return self

    def predict(self, rows: Any) -> Any:
        return np.where(np.asarray(rows)[:, 0] > 0, *self.classes_[::-1])


def python_model() -> Any:
    """Return an MLflow model that is serialized with cloudpickle."""
    from mlflow.pyfunc.model import PythonModel  # warns when it is imported

    class Python(PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return (model_input["amount"] > 0).astype(int)

    return Python()


def data(task: str, texts: bool = False) -> TrainingData:
    """Generate a numeric column, one with missing values, and a word column. Class labels are strings if `texts`."""
    amount = np.random.default_rng(0).normal(size=200)
    words = pd.Series(["x<y", "[z]", None, "w"] * 50, dtype=object)
    frame = pd.DataFrame({"amount": amount, "holes": np.where(amount > 1, np.nan, amount), "a word": words})
    features, classes = tuple(frame), ()
    if task == "ranking":
        frame[GROUP] = np.repeat(np.arange(20), 10)
    known = np.digitize(amount, [0] if task == "binary-classification" else [-0.5, 0.5])
    frame["truth"] = 3 * amount if task in {"regression", "forecasting"} else known
    if task in CLASSIFICATION:
        names = np.array(["no", "some", "yes"])
        frame["truth"] = names[known] if texts else known
        classes = tuple(dict.fromkeys(sorted(frame["truth"].tolist())))
    return TrainingData(frame[:150], frame[150:], features, "truth", classes)


def pickles(folder: Path) -> list[str]:
    """Return the pickle files in a folder, including those inside archives."""
    pickled = []
    for path in (entry for entry in folder.rglob("*") if entry.is_file()):
        parts = {path.name: path.read_bytes()}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(io.BytesIO(parts[path.name])) as archive:
                parts |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
        pickled += [name for name, content in parts.items() if _is_pickle(content)]
    return pickled


def _is_pickle(content: bytes) -> bool:
    try:
        return bool(list(pickletools.genops(content)))
    except Exception:  # noqa: BLE001 - any error: the bytes may not be a pickle
        return False


class Registry:
    """A folder-based registry, and a pipeline that registers models in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"file://{folder}/registry"

    def workload(self, task: str, **step: Any) -> dict[str, Any]:
        """Return the description of a training workload."""
        model = {**CARD, "name": "m", "registeredName": "m", "experiment": "formats/m", "task": task}
        dataset = {"uri": f"file://{self.folder}/rows", "format": "parquet", "label": "truth"}
        steps = {"learn": {"inputs": ["rows"], **step}}
        pipeline = {"model": model, "data": {"rows": dataset}, "steps": steps, "validation": [], "promoteTo": "live"}
        described = {"type": "training", "system": "s", "address": "pipelines.train", "registry": {"uri": self.uri}}
        return {**described, "pipeline": pipeline}

    def trained(self, model: Any, known: TrainingData, task: str, **step: Any) -> registry.Version:
        """Register a model as a training run does, and return its version."""
        finish(record(PipelineWorkload, self.workload(task, **step)), "learn", Trained(model, {}, {}), known, "run-1")
        version = registry.version_at("m", "live")
        assert version is not None
        return version

    def files(self, version: registry.Version) -> Path:
        """Return the folder with a version's files."""
        return Path(download_artifacts(artifact_uri=version.uri, dst_path=str(self.folder / "files")))

    def card(self, version: registry.Version) -> str:
        """Return the text of a version's model card."""
        return str(mlflow.MlflowClient().get_model_version("m", version.version).description)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "files").mkdir()
    yield Registry(tmp_path)
    mlflow.end_run()


def same(model: Any, loaded: registry.Model, task: str, rows: pd.DataFrame) -> bool:
    """Return whether two models make the same predictions for every row."""

    class Here:
        def predict(self, rows: pd.DataFrame) -> Any:
            return model.predict(rows)

        def classifier(self) -> Any:
            return model

    before, after = (
        (
            predictions.classes,
            predictions.values.tolist(),
            None if predictions.scores is None else predictions.scores.tolist(),
        )
        for predictions in (answer(Here(), task, rows), answer(loaded, task, rows))
    )
    return before == after


@pytest.mark.parametrize(("trainer", "parameters", "task"), CASES)
def test_built_in_trainers_write_equivalent_models_without_pickle(
    store: Registry, trainer: str, parameters: dict[str, Any], task: str
) -> None:
    """The loaded model has the trained model's classes and columns and makes identical predictions."""
    known = data(task, texts=trainer in {"scikit-learn", "lightgbm"})
    *_, model = grow(trainer, task, parameters, known)

    version = store.trained(model, known, task, trainer=trainer)

    assert version.tags[FORMAT_TAG] == trainers()[trainer].writes == "skops"
    assert pickles(store.files(version)) == []
    assert "runs code" not in store.card(version)
    loaded = registry.load_version(version, version.tags["modelyard.digest"])
    assert same(model, loaded, task, known.held_out[list(known.features)])
    assert [column.name for column in loaded.columns()] == list(known.features)
    requirements = (store.files(version) / "requirements.txt").read_text()
    assert "skops==" in requirements
    assert "cloudpickle" not in requirements


@pytest.mark.parametrize("task", ["binary-classification", "multiclass-classification"])
def test_distributed_trees_are_written_without_pickle(store: Registry, task: str) -> None:
    """LightGBM has no public API for creating an estimator from a booster, so attributes we set are saved too."""
    known = data(task, texts=True)
    model = estimator("lightgbm", task, {"n_estimators": 3, "n_jobs": 1})
    before, ready = prepared("lightgbm", model, known)
    grown = LGBMClassifier(n_estimators=3, verbosity=-1).fit(ready, known.train["truth"]).booster_
    parameters = parameters_of("lightgbm", task, model, len(known.classes), 1)
    restored("lightgbm", model, grown.model_to_string().encode(), parameters, known.classes)
    pipeline = make_pipeline(before, model)

    version = store.trained(pipeline, known, task, trainer="lightgbm")

    assert (version.tags[FORMAT_TAG], pickles(store.files(version))) == ("skops", [])
    assert same(pipeline, registry.load(version.uri), task, known.held_out[list(known.features)])


def test_network_is_written_with_its_weights_without_pickle(tmp_path: Path) -> None:
    """A network's weights are saved as arrays, independently of PyTorch."""
    network = NetworkClassifier(width=3, depth=1)
    network.begin(4, np.array([0, 1, 1]))
    network.weights_ = {"0.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "0.bias": np.zeros(3, np.float32)}
    network.state_, network.epochs_done_ = {"step": object()}, 7
    flavor, _, more = flavor_of(network)
    assert (flavor, more["serialization_format"]) == ("sklearn", "skops")

    save_model(network, str(tmp_path / "model"), pip_requirements=[], **more)

    assert (format_of(tmp_path / "model"), pickles(tmp_path / "model")) == ("skops", [])
    loaded = load_model(str(tmp_path / "model"))
    assert type(loaded) is NetworkClassifier
    assert loaded.get_params() == network.get_params()
    assert (loaded.shape_, loaded.epochs_done_, loaded.classes_.tolist()) == ((4, 2), 7, [0, 1])
    assert network.weights_ is not None
    assert loaded.weights_ is not None
    for name, weights in network.weights_.items():
        assert np.array_equal(loaded.weights_[name], weights)
        assert loaded.weights_[name].dtype == np.float32


def test_a_torch_module_is_pickled() -> None:
    """A torch module is pickled, because MLflow's other format needs example tensors."""
    module = type("Net", (), {"__module__": "torch.nn.modules"})()

    assert flavor_of(module)[2] == {"serialization_format": trainers()["pytorch"].returned}


def test_custom_estimator_is_pickled_with_a_warning(store: Registry) -> None:
    """The warning comes first in the card, so it survives if a long card is truncated."""
    known = data("binary-classification")
    known = TrainingData(known.train, known.held_out, ("amount",), "truth", (0, 1))
    model = Own().fit(known.train[["amount"]], known.train["truth"])

    version = store.trained(model, known, "binary-classification", trainer="scikit-learn")

    assert version.tags[FORMAT_TAG] == "pickle"
    assert store.card(version).startswith("Its files are a pickle: loading it runs code that came with it.\n\nPurpose")
    assert pickles(store.files(version)) == ["model.pkl"]
    loaded = registry.load_version(version, version.tags["modelyard.digest"])
    assert loaded.predict(known.held_out[["amount"]]).tolist() == model.predict(known.held_out[["amount"]]).tolist()


def test_user_models_are_written_without_pickle_if_possible(store: Registry) -> None:
    """Plain scikit-learn, XGBoost and LightGBM models are saved as data.

    Lambdas, custom classes and MLflow's own models are pickled. If the step has a trainer, MLflow does not infer
    requirements, which would take a separate process per model.
    """
    known = data("binary-classification")
    known = TrainingData(known.train, known.held_out, ("amount",), "truth", (0, 1))
    rows, truth = known.train[["amount"]], known.train["truth"]
    ranker = LGBMRanker(n_estimators=2, verbosity=-1).fit(rows, truth, group=[len(rows)])
    own = make_pipeline(FunctionTransformer(lambda value: value), LogisticRegression()).fit(rows, truth)
    wrapped = make_pipeline(Own()).fit(rows, truth)
    models = {
        "skops": [LogisticRegression().fit(rows, truth), ranker],
        "native": [XGBClassifier(n_estimators=2).fit(rows, truth), ranker.booster_],
        "pickle": [own, wrapped, python_model()],
    }
    assert isinstance(ranker.booster_, LightGBMBooster)
    formats = {name: trainers()[name].returned for name in ("scikit-learn", "lightgbm", "xgboost")}
    assert formats == {"scikit-learn": "skops", "lightgbm": "skops", "xgboost": "native"}

    for file_format, several in models.items():
        for model in several:
            version = store.trained(model, known, "binary-classification", trainer="lightgbm")
            assert version.tags[FORMAT_TAG] == file_format, model
            assert bool(pickles(store.files(version))) == (file_format == "pickle"), model
            assert store.card(version).startswith("Its files are a pickle") == (file_format == "pickle")


def test_without_skops_a_model_is_pickled(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a user's image lacks skops, the model is pickled and training succeeds."""
    monkeypatch.setitem(sys.modules, "skops.io", None)
    *_, model = grow("scikit-learn", "regression", {"estimator": "linear"}, data("regression"))

    assert flavor_of(model)[2] == {"serialization_format": "cloudpickle"}


def edit(files: Path, **changes: dict[str, Any]) -> None:
    """Change loader settings in a model's MLmodel file, which tells MLflow how to load it."""
    described = yaml.safe_load((files / "MLmodel").read_text())
    for flavor, more in changes.items():
        described["flavors"].setdefault(flavor, {}).update(more)
    (files / "MLmodel").write_text(yaml.safe_dump(described))


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({}, "skops"),
        ({"sklearn": {"serialization_format": "pickle"}}, "pickle"),
        ({"sklearn": {"skops_trusted_types": ["builtins.eval"]}}, "other"),
        ({"python_function": {"code": "code"}}, "other"),
        ({"python_function": {"model_path": "inner/model.skops"}}, "other"),
        ({"python_function": {"data": "inner/model.skops"}}, "other"),
        ({"python_function": {"loader_module": "mlflow.pyfunc.model"}}, "pickle"),
        ({"python_function": {"loader_module": "somebody.else"}}, "other"),
        (
            {"python_function": {"loader_module": "mlflow.xgboost"}, "xgboost": {"model_class": "somebody.Else"}},
            "other",
        ),
        ({"python_function": {"loader_module": "mlflow.lightgbm"}, "lightgbm": {"model_class": "any.Other"}}, "pickle"),
    ],
)
def test_altered_loading_settings_are_detected(tmp_path: Path, changes: dict[str, Any], written: str) -> None:
    """A changed loader, folder or custom type in MLmodel is detected."""
    fitted = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    save_model(fitted, str(tmp_path / "model"), pip_requirements=[], **flavor_of(fitted)[2])

    edit(tmp_path / "model", **changes)

    assert format_of(tmp_path / "model") == written
    assert bool(warning_of(written)) is bool(changes)


def test_model_registered_as_data_is_never_unpickled(store: Registry) -> None:
    """A model registered as data is never unpickled, even if its version has no digest tag."""
    known = data("regression")
    *_, model = grow("scikit-learn", "regression", {"estimator": "linear"}, known)
    version = store.trained(model, known, "regression", trainer="scikit-learn")
    mlflow.MlflowClient().delete_model_version_tag("m", version.version, "modelyard.digest")
    (files,) = [path.parent for path in store.folder.rglob("model.skops") if "files" not in path.parts]
    assert len(registry.load_version(version, "").predict(known.held_out[list(known.features)])) == 50

    (files / "model.skops").write_bytes(b"cos\nabort\n(tR.")
    edit(files, sklearn={"serialization_format": "pickle"})

    with pytest.raises(
        Refusal, match="version 1 of m is not loaded: it is registered as skops, but its files are pickle"
    ):
        registry.load_version(registry.version("m", "1"), "")


def test_card_without_a_warning_starts_with_the_spec_text() -> None:
    assert card_text(record(Workload, {}), record(Model, CARD), {}, "native").startswith("Purpose: Asks who may leave.")
