"""Evaluates adapters by the likelihood they assign to held-out texts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.metrics.scores import Predictions
from modelyard_runtime.models.adapters import apply_adapter, shared_copy
from modelyard_runtime.models.bases import Base, base_files
from modelyard_runtime.models.loading import expected_digest
from modelyard_runtime.models.texts import examples, likelihoods, load_quietly
from modelyard_runtime.promotion.gate import Incomparable
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.evaluation import Evaluation
from modelyard_runtime.training.language.rows import texts_of
from modelyard_runtime.workload.records import Model, PipelineWorkload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

LONGEST = 2048
"""The number of tokens of a row that are evaluated. It is the same for all versions, whose values are compared."""

BASE_METRIC = "base_perplexity"


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A base model, with or without an adapter, and its tokenizer.

    They may only be used by the thread that loaded them.
    """

    model: Any
    tokenizer: Any


class TextEvaluation(Evaluation):
    """Evaluates an adapter and other versions of its model, each with the base it was trained on."""

    def __init__(
        self, workload: PipelineWorkload, data: TrainingData, reported: Mapping[str, float], files: Path, base: Base
    ) -> None:
        self._bases: dict[str, LanguageModel] = {}
        super().__init__(workload, data, reported, self._with_adapter(files, base))
        self._base = base

    def metrics(self) -> dict[str, float]:
        """Return the perplexity of the new version and, for comparison, that of its base without the adapter."""
        without = self._predict(self._base.uri, self._base_model(self._base), "")
        return {**super().metrics(), BASE_METRIC: self._rows_of("").measure("perplexity", without)}

    def _truth(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        import numpy as np

        return np.zeros(len(frame))  # the text itself is the truth

    def _load(self, model: Model, version: registry.Version) -> Any:
        digest = expected_digest(self._workload, model, version)
        if version.tags.get(FORMAT_TAG) != ADAPTER:
            return self._base_model(Base(version.name, version.version, digest))
        files = registry.fetch(version, digest)
        try:
            return self._with_adapter(files, Base.read(files))
        finally:
            shutil.rmtree(files, ignore_errors=True)

    def _with_adapter(self, files: Path, base: Base) -> LanguageModel:
        import mlx.core as mx

        whole = self._base_model(base)
        model = shared_copy(whole.model)
        apply_adapter(model, files)
        mx.eval(model.parameters())
        return LanguageModel(model, whole.tokenizer)

    def _base_model(self, base: Base) -> LanguageModel:
        """Return a base model. Only the latest one stays in memory, since versions usually share their base."""
        if base.digest not in self._bases:
            with base_files(base) as folder:
                self._bases = {base.digest: LanguageModel(*load_quietly(str(folder)))}
        return self._bases[base.digest]

    def _predict(self, uri: str, model: Any, data: str) -> Predictions:
        if (uri, data) not in self._predictions:
            rows = self._rows_of(data).frame
            tokens = examples(model.tokenizer, texts_of(self._data, rows), LONGEST)
            self._predictions[uri, data] = Predictions(*likelihoods(model.model, tokens))
        return self._predictions[uri, data]

    def _check_comparable(self, own: Predictions, other: Predictions, title: str) -> None:
        import numpy as np

        if own.scores is None or other.scores is None or not np.array_equal(own.scores, other.scores):
            raise Incomparable(f"{title} has a base with another tokenizer, so its perplexity counts other tokens")
