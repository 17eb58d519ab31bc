"""Tests that a monitor's run request to another target is handled once and starts only the requested pipeline."""

from __future__ import annotations

import itertools
import json
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.s3.responses import S3Response

from modelyard_runtime.jobs import starter
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.run_requests import ask
from modelyard_runtime.jobs.starter import answer_requests
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage import filesystem
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload, RunRequest, StarterWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record
from tests.runtime.object_store import ObjectStore
from tests.runtime.requesting import ANSWERED, BATCH, COOLDOWN_S, JOBS, WHY, Bucket, Folder, Place, breach, jobs, now


def test_breach_starts_a_run_on_another_target(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """The request describes the breach, and the Job on the other cluster records it as its cause."""
    assert "requested a run of pipeline retrain on main (request " in breach(place)
    (path,) = place.pending_requests()
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
    assert place.pending_requests() == []
    (answer,) = place.answers()
    assert (answer["id"], answer["started"], answer["job"]) == (request["id"], True, job["metadata"]["name"])


def test_replayed_request_is_ignored(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """A request never starts a second run, even after a restart or after the run's Job is deleted."""
    breach(place)
    (path,) = place.pending_requests()
    content = place.files()[path]
    answer_requests(api, record(StarterWorkload, place.starter), now())
    (job,) = jobs(server)
    assert job["spec"]["ttlSecondsAfterFinished"] >= starter.VALID.total_seconds()
    del server.objects[f"{JOBS}{job['metadata']['name']}"]

    place.write(Path(path).name, content)
    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert jobs(server) == []
    assert place.pending_requests() == []


def test_next_starter_answers_after_a_crash(
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
    assert [answer["started"] for answer in place.answers()] == [True]


def test_concurrent_starters_start_one_run(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """Only one run starts, even if two starters read the request before either starts the run."""
    breach(place)
    together = threading.Barrier(2, timeout=30)
    arrivals = itertools.count()

    def wait() -> None:
        if next(arrivals) < together.parties:  # each starter first checks whether the run has already been started
            together.wait()

    server.on_get = wait
    ended: list[int] = []
    starters = [
        threading.Thread(
            target=lambda: ended.append(answer_requests(api, record(StarterWorkload, place.starter), now()))
        )
        for _ in range(2)
    ]
    for each in starters:
        each.start()
    for each in starters:
        each.join(60)

    assert ended == [0, 0]
    assert len(jobs(server)) == 1
    assert [each["started"] for each in place.answers()] == [True]
    assert place.pending_requests() == []


def test_monitors_cooldown_applies(place: Place, server: ApiServer, api: ClusterApi) -> None:
    """A previous run's Job blocks a second request until the monitor's cooldown has passed."""
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    jobs(server)[0]["metadata"]["creationTimestamp"] = now().isoformat()

    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    assert len(jobs(server)) == 1
    assert any("and the cooldown is 1:00:00" in answer["why"] and not answer["started"] for answer in place.answers())

    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(seconds=COOLDOWN_S + 60))
    assert len(jobs(server)) == 2


def test_request_does_not_overlap_a_run_in_progress(place: Place, server: ApiServer, api: ClusterApi) -> None:
    server.objects[f"{BATCH}/cronjobs/retrain"]["spec"]["concurrencyPolicy"] = "Forbid"
    owner = {"kind": "CronJob", "uid": "u-0"}
    server.objects[f"{JOBS}retrain-1"] = {"metadata": {"name": "retrain-1", "ownerReferences": [owner]}, "status": {}}
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
    assert "runs must not overlap" in place.answers()[0]["why"]


def test_expired_request_is_refused(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(days=2)) == 0
    assert jobs(server) == []
    assert "has been waiting since" in place.answers()[0]["why"]


def test_old_answers_are_deleted(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now())
    breach(place)
    answer_requests(api, record(StarterWorkload, place.starter), now() + timedelta(days=40))

    assert place.answers() == []


def test_request_is_retried_while_the_api_server_fails(place: Place, server: ApiServer, api: ClusterApi) -> None:
    breach(place)
    cron_job = server.objects.pop(f"{BATCH}/cronjobs/retrain")

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 1
    assert len(place.pending_requests()) == 1
    assert place.answers() == []
    server.objects[f"{BATCH}/cronjobs/retrain"] = cron_job
    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1


@pytest.mark.parametrize("uri", ["gs://elsewhere/uri/", ""])
def test_unreadable_requests_do_not_delay_other_monitors(
    place: Place, server: ApiServer, api: ClusterApi, uri: str
) -> None:
    """If one monitor's requests can't be read, those of the next monitor are still handled."""
    broken = {**place.allowed("away", "retrain"), "asked": uri, "store": "none"}
    place.starter["requests"] = [broken, *place.starter["requests"]]
    breach(place)

    answer_requests(api, record(StarterWorkload, place.starter), now())
    assert len(jobs(server)) == 1


def test_flooded_folder_is_listed_only_up_to_a_limit(
    server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only part of a flooded folder is listed, because a full listing could take up an entire pass."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    monkeypatch.setattr(starter, "_MOST_LISTED", 20)
    place = Bucket(ObjectStore(), monkeypatch)
    for at in range(90):
        place.write(f"{at:032x}.json", b"{}")
    served = counted(monkeypatch)

    answer_requests(api, record(StarterWorkload, place.starter), now())

    assert 0 < len(served) <= 6  # two lists of requests, and two lists of each kind of response
    monkeypatch.delenv("MOTO_S3_DEFAULT_MAX_KEYS")
    assert len(place.answers()) == 20
    assert len(place.pending_requests()) == 70
    place.store.cut()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record every list request that is sent to the store from now on."""
    served: list[object] = []
    answer = S3Response.list_objects_v2

    def listing(self: S3Response) -> object:
        served.append(self)
        return answer(self)

    monkeypatch.setattr(S3Response, "list_objects_v2", listing)
    return served


def test_every_monitor_gets_its_turn(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """If passes run out of time, each pass leaves out different monitors."""
    first: set[str] = set()

    def ended(where: filesystem.Place, *_: object) -> object:
        first.add(where.path)
        raise KeyboardInterrupt

    monkeypatch.setattr(starter, "first_files", ended)
    workload: dict[str, Any] = {"requests": [{"asked": f"file:///{name}"} for name in "abc"]}
    for _ in range(200):
        with pytest.raises(KeyboardInterrupt):
            answer_requests(api, record(StarterWorkload, workload), now())

    assert first == {"/a", "/b", "/c"}


def test_old_answers_are_deleted_anywhere_in_a_full_folder(
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


def test_retries_of_a_pass_request_one_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_JOB_UID", "u-1")
    breach(place)
    breach(place)
    assert len(place.pending_requests()) == 1
    monkeypatch.setenv("MODELYARD_JOB_UID", "u-2")
    breach(place)
    assert len(place.pending_requests()) == 2


def test_unreachable_store_is_reported_with_the_consequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is a single sentence instead of a traceback and says what the starter could not do."""
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
