"""The rows read by a monitor, i.e. the recent part of an endpoint's captures or of a dataset.

Files are read one at a time in batches, so memory use doesn't depend on the size of the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from modelyard_runtime.captures.capture import CAPTURED_AT, OWN_COLUMNS
from modelyard_runtime.monitoring.arrivals import Window, window
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import frame_of, opened, read_batches, times
from modelyard_runtime.storage.filesystem import Place, files, listed, place
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records import Dataset, MonitorWorkload, Reference, WatchedCapture, Workload

if TYPE_CHECKING:
    import pandas as pd

VARIANT = "variant"
FRESH = "_fresh"
"""The column that marks rows that no earlier run has read."""

_BATCH_ROWS = 65536


class Rows(Protocol):
    """The rows of a period, stored in files."""

    @property
    def timestamp(self) -> str:
        """Return the name of the column with each row's time."""
        ...

    @property
    def own(self) -> tuple[str, ...]:
        """Return the columns that are not model inputs."""
        ...

    def files(self) -> list[str]:
        """Return the files that may contain rows from the period."""
        ...

    def frames(self, files: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield the rows of the given files in non-empty batches."""
        ...

    def newest(self) -> datetime | None:
        """Return the time of the newest row, even if it precedes the window, or None if there are no rows."""
        ...


@dataclass(frozen=True, slots=True)
class DatasetRows:
    """The rows of a dataset, limited to a period if `since` or `until` is set."""

    workload: Workload
    dataset: Dataset
    since: datetime | None = None
    until: datetime | None = None
    before: datetime | None = None  # end of the previous run's window

    @property
    def timestamp(self) -> str:
        return self.dataset.timestamp

    @property
    def own(self) -> tuple[str, ...]:
        return (*(name for name in (self.dataset.timestamp, self.dataset.label) if name), FRESH)

    def columns(self) -> list[str]:
        """Return the columns of the files."""
        return list(opened(self.workload, self.dataset).schema.names)

    def files(self) -> list[str]:
        return sorted(opened(self.workload, self.dataset).files)

    def frames(self, files: Sequence[str]) -> Iterator[pd.DataFrame]:
        if not files:
            return
        for frame in read_batches(self.workload, self.dataset, self.since, self.until, files):
            yield frame if self.before is None else frame.assign(**{FRESH: times(frame[self.timestamp]) > self.before})

    def newest(self) -> datetime | None:
        source = opened(self.workload, self.dataset)
        if self.timestamp not in source.schema.names:
            raise Refusal(f"{self.dataset.uri} lacks its timestamp column {self.timestamp!r}")
        latest: datetime | None = None
        for batch in source.to_batches(columns=[self.timestamp], batch_readahead=2, fragment_readahead=1):
            stamps = times(batch.to_pandas()[self.timestamp]).dropna()
            if len(stamps):
                last = stamps.max().floor("us").to_pydatetime()
                latest = last if latest is None else max(latest, last)
        return latest


@dataclass(frozen=True, slots=True)
class CapturedRows:
    """The rows captured by an endpoint's servers in a window, with the variant of each row."""

    workload: Workload
    capture: WatchedCapture
    window: Window
    listed: list[list[str]] = field(default_factory=list[list[str]])  # read once: the next run reads later files

    @property
    def timestamp(self) -> str:
        return CAPTURED_AT

    @property
    def own(self) -> tuple[str, ...]:
        return (*OWN_COLUMNS, VARIANT, FRESH)

    def files(self) -> list[str]:
        if not self.listed:
            ends = (self.window.earliest, self.window.until)
            first, last = (f"day={end.astimezone(UTC):%Y-%m-%d}" for end in ends)
            self.listed.append([file for day in self._days() if first <= day <= last for file in self._of_day(day)])
        return self.listed[0]

    def frames(self, files: Sequence[str]) -> Iterator[pd.DataFrame]:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        redacted = list(self.capture.redact)  # redacted values contain no information
        for file in files:
            with self._where().filesystem.open_input_file(file) as stream:
                for batch in parquet.ParquetFile(stream).iter_batches(batch_size=_BATCH_ROWS):
                    frame = frame_of(pa.Table.from_batches([batch]))
                    frame = self._in_window(frame, self.window.is_new(file))
                    if len(frame):
                        yield frame.drop(columns=redacted, errors="ignore").assign(**{VARIANT: variant_of(file)})

    def _in_window(self, frame: pd.DataFrame, is_new: bool) -> pd.DataFrame:
        window, captured = self.window, frame[CAPTURED_AT]
        inside = (captured > window.since) & (captured <= window.until)
        if window.before is None:
            return frame[inside]
        if is_new and window.late is not None:
            inside |= (captured > window.late) & (captured <= window.before)
        return frame[inside].assign(**{FRESH: True if is_new else captured[inside] > window.before})

    def newest(self) -> datetime | None:
        for day in reversed(self._days()):
            captures = CapturedRows(self.workload, self.capture, Window(_ALWAYS, _NEVER))
            frames = captures.frames(self._of_day(day))
            stamps: list[datetime] = [frame[CAPTURED_AT].max().floor("us").to_pydatetime() for frame in frames]
            if stamps:
                return max(stamps)
        return None

    def _where(self) -> Place:
        return place(self.workload, self.capture.uri, self.capture.store)

    def _days(self) -> list[str]:
        return sorted(entry.base_name for entry in listed(self._where()) if entry.base_name.startswith("day="))

    def _of_day(self, day: str) -> list[str]:
        """Return a day's files in the form `variant=<name>/<file>`."""
        folder = self._where().below(day)
        paths = (str(path.path) for path in files(folder))
        return [path for path in paths if path.removeprefix(folder.path).strip("/").count("/") == 1]


_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


def variant_of(file: str) -> str:
    """Return the variant to which a capture file belongs."""
    return file.rpartition("/")[0].rpartition("/")[2].removeprefix("variant=")


def current(workload: MonitorWorkload, now: datetime, before: Section) -> tuple[Rows, Window]:
    """Return the rows and window of a monitor run, given the previous window.

    The end of the window is moved back by the label delay.
    """
    monitor = workload.monitor
    watched = monitor.current
    label_delay_s = monitor.data[monitor.labels].delay_seconds if monitor.labels in monitor.data else 0
    until = now - timedelta(seconds=label_delay_s)
    interval = timedelta(seconds=monitor.every_seconds) if monitor.every_seconds is not None else None
    period = window(before, until, timedelta(seconds=monitor.window_seconds), interval)
    if watched.capture is not None:
        return CapturedRows(workload, watched.capture, period), period
    dataset = monitor.data[watched.data]
    return DatasetRows(workload, dataset, period.since, period.until, period.before), period


def reference(workload: MonitorWorkload, now: datetime) -> DatasetRows:
    """Return the reference rows with which a window is compared."""
    monitor = workload.monitor
    settings = monitor.reference or Reference()
    dataset = monitor.data[settings.data]
    if settings.window_seconds is None:
        return DatasetRows(workload, dataset)
    return DatasetRows(workload, dataset, now - timedelta(seconds=settings.window_seconds), now)
