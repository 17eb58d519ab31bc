"""Runs requested by monitors on other targets: each request is answered once and starts only its own pipeline."""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.s3.responses import S3Response

from modelyard_runtime.jobs import starter
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.run_requests import ask, request_of
from modelyard_runtime.jobs.starter import answer_requests
from modelyard_runtime.monitoring.breach import act
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload, RunRequest, StarterWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record
from tests.runtime.object_store import ObjectStore
from tests.runtime.requesting import ANSWERED, BATCH, COOLDOWN_S, JOBS, WHY, Bucket, Folder, Place


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return the store that both sides reach."""
    if request.param == "folder":
        yield Folder(tmp_path / "store")
        return
    store = ObjectStore()
    yield Bucket(store, monkeypatch)
    store.cut()


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server with the CronJobs of two pipelines; monitors may request only the first."""
    with ApiServer() as running:
        for at, name in enumerate(("retrain", "wipe")):
            running.objects[f"{BATCH}/cronjobs/{name}"] = {
                "metadata": {"name": name, "uid": f"u-{at}", "labels": {"app.kubernetes.io/name": name}},
                "spec": {"suspend": True, "jobTemplate": {"spec": {"ttlSecondsAfterFinished": 60}}},
            }
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> ClusterApi:
    """Return the API as a Pod with a token sees it."""
    (tmp_path / "token").write_text("secret")
    return ClusterApi(server.url, "cards", tmp_path / "token", None)


def jobs(server: ApiServer) -> list[dict[str, Any]]:
    """Return the Jobs that were created."""
    return [found for path, found in server.objects.items() if path.startswith(JOBS)]


def now() -> datetime:
    return datetime.now(UTC)


def breach(place: Place) -> str:
    """Have the monitor find a breach and request a run."""
    (sentence,) = act(record(MonitorWorkload, place.monitor), now(), reasons=WHY)
    return sentence


def test_a_breach_starts_a_run_on_the_other_side(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """The request names the breach, and the Job records its cause, whichever cluster it came from."""
    assert "requested a run of pipeline retrain on main (request " in breach(place)
    (path,) = place.asked()
    request = json.loads(place.files()[path])
    assert {"id", "system", "environment", "monitor", "pipeline", "window", "reason", "at"} <= {*request}
    assert (request["monitor"], request["pipeline"], request["reason"]) == ("drift", "retrain", WHY)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0

    (job,) = jobs(server)
    assert job["metadata"]["labels"]["modelyard.dev/started-by"] == "monitor-drift"
    assert job["metadata"]["labels"]["modelyard.dev/request"] == request["id"]
    began = json.loads(job["metadata"]["annotations"]["modelyard.dev/requested"])
    assert (began["monitor"], began["target"], began["reason"]) == ("drift", "shop", WHY)
    assert job["metadata"]["ownerReferences"][0]["uid"] == "u-0"
    assert place.asked() == []
    (answer,) = place.answers()
    assert (answer["id"], answer["started"], answer["job"]) == (request["id"], True, job["metadata"]["name"])


def test_a_request_that_is_back_starts_nothing_again(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """A replayed request is ignored, both after a restart and after its Job is deleted."""
    breach(place)
    (path,) = place.asked()
    content = place.files()[path]
    answer_requests(api, record(StarterWorkload, place.starter), now())
    (job,) = jobs(server)
    assert job["spec"]["ttlSecondsAfterFinished"] >= starter.VALID.total_seconds()
    del server.objects[f"{JOBS}{job['metadata']['name']}"]

    place.write(Path(path).name, content)
    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert jobs(server) == []
    assert place.asked() == []


def test_a_starter_that_died_before_it_answered_is_followed_by_one_that_does(
    place: Place, server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    breach(place)

    def lost(*_: object) -> None:
        raise OSError("the machine is gone")

    with monkeypatch.context() as dying:
        dying.setattr(starter, "write_whole", lost)
        assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 1
    (job,) = jobs(server)
    job["metadata"]["creationTimestamp"] = now().isoformat()

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
    assert [one["started"] for one in place.answers()] == [True]


def test_of_two_starters_one_starts_it(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """Both starters read the request before either starts the run."""
    breach(place)
    together = threading.Barrier(2, timeout=30)
    asked = itertools.count()

    def wait() -> None:
        if next(asked) < together.parties:  # each starter's first question: was the run started already?
            together.wait()

    server.on_get = wait
    ended: list[int] = []
    both = [
        threading.Thread(
            target=lambda: ended.append(answer_requests(api, record(StarterWorkload, place.starter), now()))
        )
        for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(60)

    assert ended == [0, 0]
    assert len(jobs(server)) == 1
    assert [one["started"] for one in place.answers()] == [True]
    assert place.asked() == []


def test_the_cooldown_is_that_of_the_monitor(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """The Job of a run blocks a second request until the cooldown has passed."""
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    jobs(server)[0]["metadata"]["creationTimestamp"] = now().isoformat()

    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    assert len(jobs(server)) == 1
    assert any("the cooldown is 1:00:00" in one["why"] and not one["started"] for one in place.answers())

    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(seconds=COOLDOWN_S + 60))
    assert len(jobs(server)) == 2


def test_a_run_under_way_is_not_overlapped(place: Place, server: ApiServer, api: ClusterApi) -> None:
    server.objects[f"{BATCH}/cronjobs/retrain"]["spec"]["concurrencyPolicy"] = "Forbid"
    owner = {"kind": "CronJob", "uid": "u-0"}
    server.objects[f"{JOBS}retrain-1"] = {"metadata": {"name": "retrain-1", "ownerReferences": [owner]}, "status": {}}
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
    assert "they must not overlap" in place.answers()[0]["why"]


def test_an_old_request_starts_nothing(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(days=2)) == 0
    assert jobs(server) == []
    assert "has waited since" in place.answers()[0]["why"]


def test_what_became_of_requests_is_forgotten(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(days=40))

    assert place.answers() == []


def test_an_api_server_that_is_away_is_asked_again(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)
    cron_job = server.objects.pop(f"{BATCH}/cronjobs/retrain")

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 1
    assert len(place.asked()) == 1
    assert place.answers() == []
    server.objects[f"{BATCH}/cronjobs/retrain"] = cron_job
    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1


def forged(place: Place, **changes: object) -> bytes:
    """Return a request like the monitor's, with these changes."""
    return json.dumps(
        {
            **request_of(record(MonitorWorkload, place.monitor), record(BreachRun, place.run), now(), WHY),
            "id": "f" * 32,
            **changes,
        }
    ).encode()


def nested(depth: int) -> list[Any]:
    """Return nested lists that JSON can represent but Python can hardly print."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


FORGED: dict[str, tuple[Callable[[Place], bytes], str]] = {
    "another pipeline": (lambda place: forged(place, pipeline="wipe"), "pipeline of the request is 'wipe', and may"),
    "no pipeline": (lambda place: forged(place, pipeline=["retrain"]), "and may only be retrain"),
    "another monitor": (lambda place: forged(place, monitor="other"), "monitor of the request is 'other'"),
    "another system": (lambda place: forged(place, system="shop"), "system of the request"),
    "another environment": (lambda place: forged(place, environment="dev"), "environment of the request"),
    "another id": (lambda place: forged(place, id="../../cronjobs/wipe"), "id of the request"),
    "a long word": (lambda place: forged(place, pipeline="\n" * 4000), "…"),
    "huge": (lambda place: forged(place, reason=["x" * 20000]), "is larger than"),
    "no JSON": (lambda _: b"\xff{", "is no JSON"),
    "a list": (lambda _: b"[]", "is no JSON object"),
    "deep": (lambda _: b"[" * 16000, "is no JSON"),
    "lists in lists": (lambda place: forged(place, pipeline=nested(900)), "pipeline of the request is no text"),
    "nothing": (lambda _: b"", "is no JSON"),
}


@pytest.mark.parametrize("reason", [["\ud800"], nested(900), [nested(900)], "x", {"a": 1}, [None] * 800])
def test_what_a_request_adds_is_cut_to_texts(place: Place, server: ApiServer, api: ClusterApi, reason: object) -> None:
    """The request itself is allowed; its extra fields are recorded with the run and cannot do harm."""
    place.write(f"{'f' * 32}.json", forged(place, reason=reason, at=reason, window=reason))

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    (job,) = jobs(server)
    began = json.loads(job["metadata"]["annotations"]["modelyard.dev/requested"])
    assert all(isinstance(one, str) for one in (*began["reason"], *began["window"].values(), began["at"]))
    assert len(began["reason"]) <= 10


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_request_starts_nothing_and_stops_nothing(
    place: Place, server: ApiServer, api: ClusterApi, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal gives a reason, and the next request is answered in the same pass."""
    content, words = FORGED[kind]
    place.write(f"{'f' * 32}.json", content(place))
    breach(place)

    with caplog.at_level("INFO"):
        assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert [job["metadata"]["ownerReferences"][0]["uid"] for job in jobs(server)] == ["u-0"]
    answers = {answer["id"]: answer for answer in place.answers()}
    refused = answers.pop("f" * 32)
    assert words in refused["why"]
    assert not refused["started"]
    assert [answer["started"] for answer in answers.values()] == [True]
    assert all("\n" not in one.message for one in caplog.records)


@pytest.mark.parametrize(
    "name", ["x.json", f"{'F' * 32}.json", f"{'0' * 32}.json.exe", "deep/er.json", "wipe; rm.json"]
)
def test_what_is_not_named_like_a_request_is_none(place: Place, server: ApiServer, api: ClusterApi, name: str) -> None:
    place.write(name, forged(place))
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
    assert [one["started"] for one in place.answers()] == [True]


def test_names_that_are_none_keep_no_request_waiting(server: ApiServer, api: ClusterApi, tmp_path: Path) -> None:
    place = Folder(tmp_path / "store")
    for at in range(150):
        place.write(f"0{at}.json", b"{}")
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1


@pytest.mark.parametrize("asked", ["gs://elsewhere/asked/", ""])
def test_one_monitor_keeps_no_other_waiting(place: Place, server: ApiServer, api: ClusterApi, asked: str) -> None:
    """One monitor's requests cannot be read; the next monitor's requests are still answered."""
    broken = {**place.allowed("away", "retrain"), "asked": asked, "store": "none"}
    place.starter["requests"] = [broken, *place.starter["requests"]]
    breach(place)

    answer_requests(api, record(StarterWorkload, place.starter), now())
    assert len(jobs(server)) == 1


def test_a_monitor_that_floods_its_folder_costs_one_look_a_bounded_list(
    server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing everything would exhaust the time and memory of every pass, each time at the same place."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    monkeypatch.setattr(starter, "_MOST_LISTED", 20)
    place = Bucket(ObjectStore(), monkeypatch)
    for at in range(90):
        place.write(f"{at:032x}.json", b"{}")
    served = counted(monkeypatch)

    answer_requests(api, record(StarterWorkload, place.starter), now())

    assert 0 < len(served) <= 6  # two lists for the requests, and two for each of the two answers, as many as are read
    monkeypatch.delenv("MOTO_S3_DEFAULT_MAX_KEYS")
    assert len(place.answers()) == 20
    assert len(place.asked()) == 70
    place.store.cut()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record every list request that the store answers from now on."""
    served: list[object] = []
    answer = S3Response.list_objects_v2

    def listing(self: S3Response) -> object:
        served.append(self)
        return answer(self)

    monkeypatch.setattr(S3Response, "list_objects_v2", listing)
    return served


def test_each_monitor_has_its_turn(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """If passes end halfway, it is not always the same monitors that have to wait."""
    first: set[str] = set()

    def ended(_: object, uri: str, *__: object) -> object:
        first.add(uri)
        raise KeyboardInterrupt

    monkeypatch.setattr(starter, "first_files", ended)
    workload: dict[str, Any] = {"requests": [{"asked": f"file:///{name}"} for name in "abc"]}
    for _ in range(200):
        with pytest.raises(KeyboardInterrupt):
            answer_requests(api, record(StarterWorkload, workload), now())

    assert first == {"file:///a", "file:///b", "file:///c"}


def test_old_answers_are_removed_wherever_they_are_in_a_full_folder(
    server: ApiServer, api: ClusterApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Folder(tmp_path / "store")
    monkeypatch.setattr(starter, "_MOST_LISTED", 4)
    folder = place.folder / ANSWERED
    folder.mkdir(parents=True)
    for at in range(8):
        (folder / f"{at:x}{'0' * 31}.json").write_text("{}")
    os.utime(folder / f"7{'0' * 31}.json", (0, 0))

    for _ in range(60):
        breach(place)
        answer_requests(api, record(StarterWorkload, place.starter), now())
    assert not (folder / f"7{'0' * 31}.json").exists()


def test_tries_of_one_look_ask_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_JOB_UID", "u-1")
    breach(place)
    breach(place)
    assert len(place.asked()) == 1
    monkeypatch.setenv("MODELYARD_JOB_UID", "u-2")
    breach(place)
    assert len(place.asked()) == 2


def test_a_store_that_is_away_is_told_with_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is one sentence, not a traceback."""
    place = Bucket(ObjectStore(), monkeypatch)
    place.starter["stores"] = {}
    del place.store
    run = {**place.run, "request": {**place.run["request"], "uri": "file:///proc/none/asked/"}}

    with pytest.raises(Refusal, match=r"cannot request a run of pipeline retrain on main: .*next run tries again"):
        ask(
            record(MonitorWorkload, place.monitor),
            record(BreachRun, run),
            record(RunRequest, run["request"]),
            now(),
            WHY,
        )
