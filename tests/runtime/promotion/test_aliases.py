"""Tests that concurrent moves of an alias leave it consistent with its history, and the history complete."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from modelyard_runtime.promotion import aliases, history
from modelyard_runtime.promotion.history import (
    BY_HAND,
    PROMOTE,
    TAKE_BACK,
    History,
    Move,
    recorded,
    standing,
    taken_back,
)
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import Model
from tests.runtime.described import record

# raised by the libraries below MLflow's database
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SADeprecationWarning")

MODEL = {"registeredName": "fraud"}
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Interleaved:
    """An in-memory MLflow with atomic calls that interleave in an order determined by a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._turn = threading.Condition()
        self._waiting: dict[int, None] = {}
        self._running = 0
        self._next: int | None = None
        self.aliases: dict[str, str] = {}
        self.runs: list[Any] = []
        self._ids = count(1)

    def together(self, *works: Callable[[], Any]) -> None:
        """Run all functions concurrently, allowing only one registry call at a time."""
        self._running = len(works)
        with ThreadPoolExecutor(len(works)) as pool:
            for future in [pool.submit(self._work, work) for work in works]:
                future.result()

    def _work(self, work: Callable[[], Any]) -> None:
        try:
            work()
        finally:
            with self._turn:
                self._running -= 1
                self._draw()

    def _draw(self) -> None:
        if self._waiting and len(self._waiting) == self._running:
            self._next = self._random.choice(sorted(self._waiting))
            self._turn.notify_all()

    def _step(self) -> None:
        if not self._running:
            return
        me = threading.get_ident()
        with self._turn:
            self._waiting[me] = None
            self._draw()
            while self._next != me:
                self._turn.wait()
            self._next = None
            del self._waiting[me]

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="1")

    def search_runs(self, experiments: list[str], **_: Any) -> Any:
        self._step()
        page = [SimpleNamespace(data=run.data, info=SimpleNamespace(**vars(run.info))) for run in self.runs]
        return Page(page)

    def create_run(self, experiment: str, start: int | None = None, *, tags: dict[str, str], run_name: str) -> Any:
        self._step()
        number = next(self._ids)
        info = SimpleNamespace(run_id=f"{number:04}", start_time=start or int(time.time() * 1000), status="RUNNING")
        self.runs.append(SimpleNamespace(info=info, data=SimpleNamespace(tags=tags)))
        return self.runs[-1]

    def set_terminated(self, run: str, status: str) -> None:
        self._step()
        next(candidate for candidate in self.runs if candidate.info.run_id == run).info.status = status

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        self._step()
        if alias not in self.aliases:
            raise mlflow.MlflowException("no such alias", error_code=INVALID_PARAMETER_VALUE)
        return SimpleNamespace(version=self.aliases[alias], tags={}, run_id="")

    def get_registered_model(self, name: str) -> Any:
        return SimpleNamespace(aliases=dict(self.aliases))

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self._step()
        self.aliases[alias] = version


class Page(list[Any]):
    """A page of runs with no page after it."""

    token = ""


def move(version: int, alias: str = "champion") -> Move:
    """Return the record of the move by which a version is promoted."""
    return Move(alias, PROMOTE, str(version), "", "training", "it passed its gate", f"sha256:{version}")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Interleaved]:
    """Return a function that creates an in-memory registry from a seed."""

    def with_seed(seed: int) -> Interleaved:
        server = Interleaved(seed)
        monkeypatch.setattr(history, "_client", lambda: server)
        monkeypatch.setattr(registry, "_client", lambda: server)
        return server

    return with_seed


def test_newest_of_concurrent_promotions_wins(memory: Callable[[int], Interleaved]) -> None:
    """In each of a thousand call orders, the history contains both promotions and no manual move."""
    for seed in range(1000):
        server, history = memory(seed), History(record(Model, MODEL))
        aliases.promote(history, move(1))
        server.together(*(partial(aliases.promote, history, move(version)) for version in (2, 3)))

        assert server.aliases == {"champion": "3"}, seed
        moves = history.moves("champion")
        assert sorted((entry.action, entry.version) for entry in moves) == [
            (PROMOTE, "1"),
            (PROMOTE, "2"),
            (PROMOTE, "3"),
        ]
        assert all(entry.finished for entry in moves)


def test_concurrent_rollback_affects_only_the_version_it_saw(memory: Callable[[int], Interleaved]) -> None:
    """A newer version promoted in the meantime keeps the alias.

    Otherwise, the alias returns to the previous version.
    """
    for seed in range(300):
        server, history = memory(seed), History(record(Model, MODEL))
        for version in (1, 2):
            aliases.promote(history, move(version))
        works: list[Callable[[], Any]] = [
            partial(aliases.take_back, history, "champion", "monitor", "worse", LATER),
            partial(aliases.promote, history, move(3)),
        ]
        server.together(*works)

        (back,) = [entry for entry in history.moves("champion") if entry.action == TAKE_BACK]
        assert server.aliases == {"champion": "3" if back.version == "2" else "2"}, seed
        assert next(iter(standing(history.moves("champion")))) == server.aliases["champion"]


def test_concurrent_promotions_in_a_database(database: History) -> None:
    """Eight concurrent promotions in random order are all recorded, and the alias ends on the newest version."""
    versions = [registered() for _ in range(40)]
    random.Random(1).shuffle(versions)
    with ThreadPoolExecutor(8) as pool:
        promoted = list(pool.map(lambda version: aliases.promote(database, move(version)), versions))

    assert at() == "40"
    assert all(int(entry) >= version for entry, version in zip(promoted, versions, strict=True))
    moves = database.moves("champion")
    assert sorted(int(entry.version) for entry in moves) == list(range(1, 41))
    assert {entry.action for entry in moves} == {PROMOTE}


@pytest.fixture
def database(tmp_path: Path) -> History:
    """Return the alias history of a database-backed registry. Creating the registry takes seconds."""
    return connected(f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """Return the history of an alias in a folder-based registry."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return connected(f"file://{tmp_path}/registry")


def connected(uri: str) -> History:
    """Connect to a registry, create a model in it, and return the model's alias history."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    mlflow.MlflowClient().create_registered_model("fraud")
    return History(record(Model, MODEL))


def at(alias: str = "champion") -> str:
    """Return the version that an alias points to."""
    version = registry.version_at("fraud", alias)
    return "" if version is None else version.version


def registered() -> int:
    """Register another version without files."""
    return int(mlflow.MlflowClient().create_model_version("fraud", "file:///nowhere").version)


def test_manual_alias_move_is_recorded_and_kept(files: History) -> None:
    """Versions skipped by a manual move aren't promoted automatically, but newer ones are."""
    for _ in range(3):
        aliases.promote(files, move(registered()))
    registry.set_alias("fraud", "champion", "1")
    aliases.observe(files, "champion")
    aliases.observe(files, "champion")

    (manual_move,) = [entry for entry in files.moves("champion") if entry.action == BY_HAND]
    assert (manual_move.version, manual_move.before, manual_move.who, set(manual_move.over)) == (
        "1",
        "3",
        "unknown",
        {"2", "3"},
    )
    assert aliases.refused_again(files, "champion") == {"2", "3"}
    assert aliases.promote(files, move(registered())) == "4"
    assert aliases.take_back(files, "champion", "monitor", "worse", datetime.now(UTC)) == "1"


def test_alias_older_than_its_history_is_accepted(files: History) -> None:
    """A rollback may return the alias to a version that predates its recorded history."""
    registry.set_alias("fraud", "champion", str(registered()))

    aliases.promote(files, move(registered()))

    assert aliases.take_back(files, "champion", "monitor", "worse", datetime.now(UTC)) == "1"
    assert aliases.take_back(files, "champion", "monitor", "worse", datetime.now(UTC)) == ""


def test_interrupted_move_is_completed(files: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished alias move is completed once the process that recorded it has certainly ended."""
    aliases.promote(files, move(registered()))
    files.append(move(registered()))
    aliases.observe(files, "champion")
    assert at() == "1"

    monkeypatch.setattr(aliases, "_INTERRUPTED", -timedelta(seconds=1))
    aliases.observe(files, "champion")

    assert at() == "2"
    assert all(entry.finished for entry in files.moves("champion"))


def test_interrupted_rollback_records_the_digest_of_its_target(files: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rollback record contains the version's digest, because servers must not trust the version's tag."""
    approved = replace(move(registered()), evidence={"risk": "signed"})
    for entry in (approved, move(registered())):
        aliases.promote(files, entry)
    files.append(Move("champion", TAKE_BACK, "2", "2", "monitor", "worse"))
    monkeypatch.setattr(aliases, "_INTERRUPTED", -timedelta(seconds=1))

    aliases.observe(files, "champion")

    rollback = recorded(files.moves("champion"), "1")
    assert rollback is not None
    assert (rollback.why, rollback.digest, rollback.evidence) == (
        "a move was interrupted",
        "sha256:1",
        {"risk": "signed"},
    )


def test_rollback_skips_a_deleted_version(files: History) -> None:
    """A rollback moves the alias to the version before the deleted one."""
    for _ in range(3):
        aliases.promote(files, move(registered()))
    mlflow.MlflowClient().delete_model_version("fraud", "2")

    assert aliases.take_back(files, "champion", "monitor", "worse", datetime.now(UTC)) == "1"


def test_deleted_record_counts_for_its_alias(files: History) -> None:
    """An alias move still counts if the run that records it is deleted, even though MLflow hides deleted runs."""
    for alias in ("champion", "candidate"):
        aliases.promote(files, move(registered(), alias))
    for entry in files.moves("champion"):
        mlflow.MlflowClient().delete_run(entry.id)

    (remaining,) = files.moves("champion")
    assert (remaining.version, remaining.digest, remaining.who) == ("1", "sha256:1", "training")
    assert recorded(files.moves("champion"), "1") == remaining
    assert recorded(files.moves("champion"), "2") is None


def test_last_move_of_a_version_counts() -> None:
    """Only a version's last move counts, since a version can be rolled back and later restored by hand."""
    moves = [move(1), move(2), replace(move(2), action=TAKE_BACK)]
    assert (standing(moves), taken_back(moves)) == (("1",), {"2"})

    moves.append(replace(move(2), action=BY_HAND))
    assert (standing(moves), taken_back(moves)) == (("2", "1"), frozenset())
    assert recorded(moves[:3], "2") is None
