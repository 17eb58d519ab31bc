"""Records which rows a version was trained on as short hashes, so that later gates can exclude them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.hashes import mixed
from modelyard_runtime.storage.datasets import times

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    Hashes = npt.NDArray[np.uint64]

SEEN = "modelyard/rows.parquet"
"""The path at which a run stores the marks of its model's training rows."""

_SPARE_BITS, _FEWEST_BITS = 10, 34
"""New rows are mistaken for training rows with a probability below 2**-10. The reverse never happens."""

_META = b"modelyard"


@dataclass(frozen=True, slots=True)
class Identity:
    """How rows are identified, i.e. the columns and whether each contains numbers, times or text."""

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    declared: bool  # whether the spec names the columns; if not, they are all training columns

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str], declared: bool) -> Identity:
        """Identify the given rows by the given columns."""
        return cls(tuple(columns), tuple(_kind(frame[name]) for name in columns), declared)

    def hashes(self, frame: pd.DataFrame) -> Hashes:
        """Hash each row. Equal rows have equal hashes."""
        import pandas as pd

        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise Refusal(f"the data no longer has the column {missing[0]!r}, which identifies its rows")
        plain = {name: _plain(frame[name], kind) for name, kind in zip(self.columns, self.kinds, strict=True)}
        hashed: Hashes = pd.util.hash_pandas_object(pd.DataFrame(plain), index=False).to_numpy()
        return hashed


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows a version was trained on.

    `marks` has the leading bits of each row's salted hash, sorted and without duplicates. If the data was split by
    time, the version wasn't trained on any row after `until`, regardless of the row's mark.
    """

    identity: Identity
    marks: Hashes
    bits: int
    salt: int
    timestamp: str = ""
    until: str = ""

    @classmethod
    def of(cls, identity: Identity, hashes: Hashes, timestamp: str = "", until: str = "") -> Seen:
        """Record the rows with the given hashes."""
        import numpy as np

        bits = min(max(len(hashes).bit_length() + _SPARE_BITS, _FEWEST_BITS), 62)
        salt = int(np.bitwise_xor.reduce(hashes))  # differs between versions, but not when a run is repeated
        return cls(identity, np.unique(_marked(hashes, bits, salt)), bits, salt, timestamp, until)

    def unseen(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows on which the version was not trained."""
        import numpy as np
        import pandas as pd

        marks = _marked(self.identity.hashes(frame), self.bits, self.salt)
        places = np.searchsorted(self.marks, marks).clip(max=max(len(self.marks) - 1, 0))
        unseen = self.marks[places] != marks if len(self.marks) else np.ones(len(frame), dtype=bool)
        if self.until and self.timestamp in frame.columns:
            unseen = unseen | (times(frame[self.timestamp]) > pd.Timestamp(self.until)).to_numpy(dtype=bool)
        result: npt.NDArray[np.bool_] = unseen
        return result

    def table(self) -> pa.Table:
        """Return a table with the marks as a column and everything else as schema metadata."""
        import numpy as np
        import pyarrow as pa

        metadata: dict[str, Any] = {
            "columns": self.identity.columns,
            "kinds": self.identity.kinds,
            "declared": self.identity.declared,
            "bits": self.bits,
            "salt": f"{self.salt:016x}",
            "timestamp": self.timestamp,
            "until": self.until,
        }
        marks = pa.array(self.marks.astype(np.int64))
        return pa.table({"mark": marks}).replace_schema_metadata({_META: json.dumps(metadata)})

    def write(self, path: Path) -> None:
        """Write the file, storing the sorted marks as differences, which are small if there are many."""
        import pyarrow.parquet as parquet

        parquet.write_table(
            self.table(),
            path,
            use_dictionary=False,
            column_encoding={"mark": "DELTA_BINARY_PACKED"},
            compression="zstd",
        )

    @classmethod
    def read(cls, path: Path) -> Seen:
        """Read a file written by `write`."""
        import numpy as np
        import pyarrow.parquet as parquet

        table = parquet.read_table(path)
        metadata: dict[str, Any] = json.loads(table.schema.metadata[_META])
        identity = Identity(tuple(metadata["columns"]), tuple(metadata["kinds"]), bool(metadata["declared"]))
        marks = table.column("mark").to_numpy().astype(np.uint64)
        return cls(
            identity, marks, int(metadata["bits"]), int(metadata["salt"], 16), metadata["timestamp"], metadata["until"]
        )


def keep(seen: Seen) -> None:
    """Store the record in the active run."""
    import mlflow

    folder, _, name = SEEN.rpartition("/")
    with tempfile.TemporaryDirectory(prefix="rows-") as local:
        seen.write(Path(local, name))
        mlflow.log_artifact(f"{local}/{name}", folder)


def stored(run_id: str) -> Seen | None:
    """Return the record stored by a run, or None."""
    from mlflow import artifacts

    folder, _, _ = SEEN.rpartition("/")
    if not run_id or SEEN not in {
        entry.path for entry in artifacts.list_artifacts(run_id=run_id, artifact_path=folder) or ()
    }:
        return None
    with tempfile.TemporaryDirectory(prefix="rows-") as local:
        return Seen.read(Path(artifacts.download_artifacts(run_id=run_id, artifact_path=SEEN, dst_path=local)))


def _marked(hashes: Hashes, bits: int, salt: int) -> Hashes:
    import numpy as np

    marks: Hashes = mixed(hashes ^ np.uint64(salt)) >> np.uint64(64 - bits)
    return marks


def _kind(column: pd.Series) -> str:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        return "number"
    return "time" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "text"


def _plain(column: pd.Series, kind: str) -> Any:
    """Convert a column for hashing such that, for example, equal integers and floats have equal hashes."""
    import numpy as np

    current_kind = _kind(column)
    if kind == "time" and current_kind != "number":
        return times(column).to_numpy(dtype="datetime64[ns]").astype(np.int64)
    if kind != current_kind:
        raise Refusal(
            f"column {column.name!r}, which identifies its rows, contained a {kind} and now contains a {current_kind}"
        )
    if kind == "number":
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers + 0.0, np.nan)  # adding 0.0 turns -0.0 into 0.0
    return column.map(str, na_action="ignore").astype(object).where(column.notna(), None)
