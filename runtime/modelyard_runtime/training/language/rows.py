"""Reads prompts and texts from training data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelyard_runtime.models.texts import Text
from modelyard_runtime.training.data import TrainingData

if TYPE_CHECKING:
    import pandas as pd


def texts_of(data: TrainingData, rows: pd.DataFrame) -> list[Text]:
    """Return the text of each row, and its prompt if the rows have prompts."""
    texts = rows[data.label].astype(str).tolist()
    prompts: list[Any] = rows[data.features[0]].astype(str).tolist() if data.features else [None] * len(texts)
    return list(zip(prompts, texts, strict=True))
