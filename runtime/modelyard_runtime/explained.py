"""Measures of a look, and after a breach what goes together with it."""

from __future__ import annotations

import logging

from modelyard_runtime.capture import PREDICTION
from modelyard_runtime.causes import Cause, movers, sample, worst
from modelyard_runtime.description import names, section, sections, text
from modelyard_runtime.measures import ERRORS, Measures
from modelyard_runtime.profiles import Profile
from modelyard_runtime.quality import KEY
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.tallies import Profiles, hashes, tallied
from modelyard_runtime.windows import reference

LABELLED = frozenset({"prediction-quality", "concept-drift"})

_log = logging.getLogger(__name__)


class Explained(Measures):
    """Measures that look once more at a part of the window when something has moved."""

    def causes(self, kind: str) -> list[Cause]:
        """What goes together with a breach: parts of the rows with errors, or features that moved the predictions."""
        try:
            return self._worst() if kind in LABELLED else self._movers()
        except (Refusal, OSError) as problem:  # the breach is told without
            _log.warning("what goes together with the breach is not known: %s", problem)
            return []

    def _movers(self) -> list[Cause]:
        frame = sample(self._rows)
        if PREDICTION not in frame.columns:
            return []
        if text(section(self._monitor, "reference"), "data"):
            found = tallied(reference(self._workload, self._now), lambda: Profiles(self._hidden), self._threads)
            return movers(frame, {name: one.profile() for name, one in found.columns.items()})
        kept = self._kept("")
        columns = sections(kept, "columns")
        return movers(frame, {name: Profile.from_json(columns[name]) for name in names(kept, "features")})

    def _worst(self) -> list[Cause]:
        made, judged = self._said, self._judged
        if made.label or not len(judged):
            return []
        errors = judged.assign(error=self._scored(judged, ERRORS, text(self._models()[0], "task")))
        frame = sample(self._rows)
        frame = frame.dropna(subset=[PREDICTION, *made.key.columns]).reset_index(drop=True)
        found = frame.assign(**{KEY: hashes(frame, made.key.columns, made.key.numbers)})[KEY]
        known = found.map(errors.groupby(KEY)["error"].mean()).to_numpy()
        apart = {*self._hidden, *self._rows.own, *made.key.columns}
        return worst(frame[[name for name in frame.columns if name not in apart]], known)

    @property
    def _hidden(self) -> frozenset[str]:
        """Columns of the datasets that are no features."""
        every = sections(self._monitor, "data").values()
        return frozenset(text(one, key) for one in every for key in ("label", "timestamp", "group"))
