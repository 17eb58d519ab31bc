"""A loaded model version, with the checker for its signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard_runtime.models import loading
from modelyard_runtime.models.answers import Predictor, choosing_by
from modelyard_runtime.models.checker import Checker
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.selection import Origin, Selected
from modelyard_runtime.user_code import entrypoint
from modelyard_runtime.workload.records import ServerWorkload

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Serving:
    """A loaded version. `overlaps` says whether calls to it may run concurrently."""

    model: Predictor
    checker: Checker
    origin: Origin
    uri: str
    overlaps: bool

    @property
    def version(self) -> str:
        """Return the number of the version."""
        return self.origin.version


@dataclass(frozen=True, slots=True)
class Direct:
    """Calls a scikit-learn model without MLflow's own validation, as the rows have already been checked.

    That validation takes 5 ms for 100 columns, several times as long as most of these models take to predict.
    """

    loaded: registry.Model
    estimator: Any

    def predict(self, rows: pd.DataFrame) -> Any:
        """Return the estimator's predictions."""
        return self.estimator.predict(rows)

    def classifier(self) -> Any | None:
        """Return the underlying classifier, or None if it doesn't predict class probabilities."""
        return self.loaded.classifier()

    def threshold(self) -> float | None:
        """Return the threshold for the second of two classes, or None if the more likely class is chosen."""
        return self.loaded.threshold()


def load(workload: ServerWorkload, selected: Selected, code: str) -> Serving:
    """Load a selected version, wrapped by the user's function `code` if there is one.

    Estimators may be called concurrently, because they are thread-safe. Other code may not be.
    """
    origin, uri = selected.origin, selected.version.uri
    loaded = loading.load(workload, selected.model, selected.version)
    checker = Checker(loaded.columns())
    if code:
        model = entrypoint(code)(loaded)
        if not callable(getattr(model, "predict", None)):
            raise Refusal(f"entrypoint {code} must return an object with predict(rows)")
        predictor = choosing_by(model, loaded.threshold())
        return Serving(predictor, checker, origin, uri, overlaps=False)
    estimator = loaded.estimator() if checker.complete else None
    if estimator is None:
        return Serving(loaded, checker, origin, uri, overlaps=False)
    return Serving(Direct(loaded, estimator), checker, origin, uri, overlaps=True)
