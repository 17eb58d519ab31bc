"""Tests that forged run requests are refused with a reason and do not delay genuine ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.run_requests import request_of
from modelyard_runtime.jobs.starter import answer_requests
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload, StarterWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record
from tests.runtime.requesting import WHY, Folder, Place, breach, jobs, now


def forged(place: Place, **changes: object) -> bytes:
    """Return the monitor's request with the given fields changed."""
    return json.dumps(
        {
            **request_of(record(MonitorWorkload, place.monitor), record(BreachRun, place.run), now(), WHY),
            "id": "f" * 32,
            **changes,
        }
    ).encode()


def nested(depth: int) -> list[Any]:
    """Return nested lists that are valid JSON but too deep for Python to print."""
    result: list[Any] = []
    for _ in range(depth):
        result = [result]
    return result


FORGED: dict[str, tuple[Callable[[Place], bytes], str]] = {
    "another pipeline": (lambda place: forged(place, pipeline="wipe"), "pipeline of the request is 'wipe', but must"),
    "no pipeline": (lambda place: forged(place, pipeline=["retrain"]), "but must be retrain"),
    "another monitor": (lambda place: forged(place, monitor="other"), "monitor of the request is 'other'"),
    "another system": (lambda place: forged(place, system="shop"), "system of the request"),
    "another environment": (lambda place: forged(place, environment="dev"), "environment of the request"),
    "another id": (lambda place: forged(place, id="../../cronjobs/wipe"), "id of the request"),
    "a long word": (lambda place: forged(place, pipeline="\n" * 4000), "…"),
    "huge": (lambda place: forged(place, reason=["x" * 20000]), "is larger than"),
    "no JSON": (lambda _: b"\xff{", "is not JSON"),
    "a list": (lambda _: b"[]", "is not a JSON object"),
    "deep": (lambda _: b"[" * 16000, "is not JSON"),
    "lists in lists": (lambda place: forged(place, pipeline=nested(900)), "pipeline of the request is not a string"),
    "nothing": (lambda _: b"", "is not JSON"),
}


@pytest.mark.parametrize("reason", [["\ud800"], nested(900), [nested(900)], "x", {"a": 1}, [None] * 800])
def test_extra_fields_of_a_request_are_reduced_to_texts(
    place: Place, server: ApiServer, api: ClusterApi, reason: object
) -> None:
    """The request is granted, and its extra fields are recorded with the run as plain strings."""
    place.write(f"{'f' * 32}.json", forged(place, reason=reason, at=reason, window=reason))

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    (job,) = jobs(server)
    began = json.loads(job["metadata"]["annotations"]["modelyard.dev/requested"])
    assert all(isinstance(value, str) for value in (*began["reason"], *began["window"].values(), began["at"]))
    assert len(began["reason"]) <= 10


@pytest.mark.parametrize("kind", FORGED)
def test_forged_request_has_no_effect(
    place: Place, server: ApiServer, api: ClusterApi, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A forged request is refused with a reason, and the genuine request after it is answered in the same pass."""
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
    assert all("\n" not in log_record.message for log_record in caplog.records)


@pytest.mark.parametrize(
    "name", ["x.json", f"{'F' * 32}.json", f"{'0' * 32}.json.exe", "deep/er.json", "wipe; rm.json"]
)
def test_files_not_named_like_requests_are_ignored(place: Place, server: ApiServer, api: ClusterApi, name: str) -> None:
    place.write(name, forged(place))
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
    assert [answer["started"] for answer in place.answers()] == [True]


def test_many_ignored_files_do_not_delay_requests(server: ApiServer, api: ClusterApi, tmp_path: Path) -> None:
    place = Folder(tmp_path / "store")
    for at in range(150):
        place.write(f"0{at}.json", b"{}")
    breach(place)

    assert answer_requests(api, record(StarterWorkload, place.starter), now()) == 0
    assert len(jobs(server)) == 1
