"""Hashes rows by the text of the values in some columns."""

from __future__ import annotations

from collections.abc import Sequence, Set
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from modelyard_runtime.statistics.profiles import number_texts_in, texts_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Hashes: TypeAlias = npt.NDArray[np.uint64]


def hashes(frame: pd.DataFrame, columns: Sequence[str], numbers: Set[str] = frozenset()) -> Hashes:
    """Hash each row by the text of the values in the given columns, regardless of column types and order.

    Columns in `numbers` are compared as numbers even if they contain text.
    """
    import numpy as np
    import pandas as pd

    total = np.zeros(len(frame), dtype=np.uint64)
    for name in columns:
        texts = number_texts_in(frame[name]) if name in numbers else texts_in(frame[name])
        factor = int.from_bytes(sha256(name.encode()).digest()[:8], "big") | 1
        column_hashes = np.zeros(len(frame), dtype=np.uint64)  # a missing value has no effect, like an absent column
        values = pd.util.hash_array(texts.to_numpy(dtype=object), categorize=False)
        column_hashes[frame[name].notna().to_numpy()] = mixed(values * np.uint64(factor))
        total += column_hashes
    return mixed(total)


def mixed(values: Hashes) -> Hashes:
    """Apply the finalizer of splitmix64, where every bit of the result depends on all bits of the value."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
