"""Tests, over HTTP, what a local run's page shows, who can see it, and what its form sends."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelyard_runtime.jobs.local_runs import RUNNING, LocalRuns
from modelyard_runtime.local.page.server import Page
from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.state import READY
from tests.shown_system import FORM, HOSTILE, LACKS, RunningSystem, Visitor, shown_system

TYPED = {"input:usage": "1.5", "input:age": "40", "input:plan": "a", "input:vip": "true"}


@pytest.fixture
def page_system(tmp_path: Path) -> Iterator[RunningSystem]:
    with shown_system(tmp_path) as system:
        yield system


@pytest.fixture
def visitor(page_system: RunningSystem) -> Iterator[Visitor]:
    yield from opened(page_system)


def opened(page_system: RunningSystem, plan: LocalPlan | None = None) -> Iterator[Visitor]:
    page = Page.start(plan or page_system.plan, page_system.compiled, page_system.state)
    yield Visitor(page.url)
    page.end()


def test_it_shows_the_drawing_versions_decisions_and_charts(visitor: Visitor) -> None:
    status, text = visitor.get()

    assert status == 200
    assert "churn@champion</text>" in text
    assert re.search(r"<td>2</td><td><span[^>]*>champion</span></td><td>held</td>.*?<td>0.8</td>", text)
    assert "<figcaption>psi by monitors.drift</figcaption>" in text
    assert "<figcaption>auc_roc of laptop-churn</figcaption>" in text
    assert text.count('class="bound"') == 2  # the check's maximum, and the gate's minimum
    assert "churn-live: 100% of requests" in text


def test_decisions_are_newest_first_with_their_reasons(visitor: Visitor) -> None:
    _, text = visitor.get()
    listed = text[text.index('id="decisions"') : text.index('id="metrics"')]
    kinds = re.findall(r'class="badge (\w+)"', listed)

    assert kinds == ["gate", "start", "breach", "promotion"]
    assert "usage is 0.31, must be at most 0.2" in listed


def test_the_renewed_parts_are_those_of_the_page(visitor: Visitor) -> None:
    """The page's refreshable elements are the ones the script replaces by ID.

    They must not contain styles or scripts, which would have a different nonce and be blocked.
    """
    _, page = visitor.get()
    status, live = visitor.get("live")
    parts = re.findall(r'id="([^"]+)" data-live', page)

    assert status == 200
    assert {"summary", "decisions", "metrics", "models", "form-churn"} <= set(parts)
    assert re.findall(r'id="([^"]+)" data-live', live) == parts
    assert not re.search("<style|<script", live)


def test_what_runs_now_is_shown(visitor: Visitor, page_system: RunningSystem) -> None:
    from datetime import UTC, datetime

    assert "no pipeline is running now" in visitor.get()[1]
    LocalRuns(page_system.state.folder / "runs").add("train", datetime.now(UTC), RUNNING)
    assert "running now: pipelines.train" in visitor.get()[1]


def test_texts_of_others_are_never_markup(visitor: Visitor, page_system: RunningSystem) -> None:
    """The page escapes reasons, column names, metric names and the registry address, which come from outside."""
    page_system.inputs = ((HOSTILE, "BYTES"),)
    page_system.state.record(HOSTILE, "failed", HOSTILE)
    _, text = visitor.get()

    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r"<script(?! nonce)|<img|\u202e", text)
    assert text.count("<script") == 1
    page_system.state.announce(registry="javascript:alert(1)")
    assert "javascript:" not in visitor.get()[1]


def test_nothing_may_be_loaded_from_elsewhere(visitor: Visitor) -> None:
    _, text = visitor.get()
    policy = visitor.headers["content-security-policy"]
    (nonce,) = re.findall(r"script-src 'nonce-([^']+)'", policy)

    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert set(re.findall(r'nonce="([^"]+)"', text)) == {nonce}
    assert not re.search(r'style="|\son\w+="|\ssrc="|url\((?!#)|@import', text)
    assert not re.search(r'="https?://(?!127\.0\.0\.1|www\.w3\.org/2000/svg)', text)
    visitor.get()
    assert nonce not in visitor.headers["content-security-policy"]
    assert visitor.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:8600", ""])
def test_other_host_names_are_refused(visitor: Visitor, host: str) -> None:
    """A site whose name was rebound to 127.0.0.1 cannot read the page."""
    assert visitor.get(Host=host) == (421, "this page answers only at its own address\n")
    assert visitor.get("try/churn", "POST", "", Host=host, Content_Type=FORM)[0] == 421


def test_localhost_is_a_name_of_this_machine(visitor: Visitor) -> None:
    assert visitor.get(Host=f"localhost:{visitor.port}")[0] == 200


@pytest.mark.parametrize("path", ["graph", "try/", "try/other", "try/churn/x", "../events.jsonl", "index.html", "/"])
def test_other_paths_do_not_exist(visitor: Visitor, path: str) -> None:
    assert visitor.get(path)[0] == 404
    assert "content-security-policy" in visitor.headers


@pytest.mark.parametrize("path", ["/", "/live", "/try/churn", "/x/", "/x/live", "//"])
def test_other_users_of_the_machine_cannot_open_the_page(visitor: Visitor, path: str) -> None:
    """The URL contains a key found only in the output and in the run folder, which only the user can read."""
    assert visitor.get(path)[0] == 404
    assert visitor.get(visitor.base.rstrip("/"))[0] == 404
    assert visitor.get(visitor.base[:-2] + "/")[0] == 404


def test_the_form_sends_a_row_of_the_declared_types(visitor: Visitor, page_system: RunningSystem) -> None:
    status, answer = visitor.submit("churn", TYPED)

    assert (status, answer["status"]) == (200, 200)
    assert '"scores": [' in answer["answer"]
    assert page_system.received == [{"instances": [{"usage": 1.5, "age": 40, "plan": "a", "vip": True}]}]


def test_the_form_shows_errors_in_the_words_of_the_endpoint(visitor: Visitor, page_system: RunningSystem) -> None:
    """Empty form fields are omitted, and non-numeric text is sent unchanged for the endpoint to validate."""
    status, answer = visitor.submit(
        "churn", {"input:usage": "much", "input:age": "", "input:plan": "", "input:vip": ""}
    )

    assert (status, answer) == (200, {"status": 422, "answer": LACKS})
    assert page_system.received == [{"instances": [{"usage": "much"}]}]


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({"token": ""}, {}),
        ({"token": "guessed"}, {}),
        ({}, {"Origin": "http://evil.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Sec_Fetch_Site": "cross-site"}),
    ],
)
def test_other_sites_cannot_send_the_form(
    visitor: Visitor, page_system: RunningSystem, fields: dict[str, str], headers: dict[str, str]
) -> None:
    assert visitor.submit("churn", {**TYPED, **fields}, **headers)[0] == 403
    assert page_system.received == []


def test_only_forms_of_a_small_size_are_read(visitor: Visitor, page_system: RunningSystem) -> None:
    assert visitor.submit("churn", TYPED, Content_Type="application/json")[0] == 415
    assert visitor.get("try/churn", "POST", None, Content_Type=FORM, Content_Length=str(2**21))[0] == 413
    assert visitor.get("try/churn")[0] == 405
    assert page_system.received == []


def test_a_caller_with_a_token_is_used(page_system: RunningSystem) -> None:
    """The form uses the first caller's token to query the endpoint, and the token never appears on the page."""
    endpoint = replace(page_system.plan.endpoints["churn"], callers=("shop", "app"))
    for visitor in opened(page_system, replace(page_system.plan, endpoints={"churn": endpoint})):
        _, text = visitor.get()
        token = page_system.state.token("churn", "shop").read_text().strip()

        assert "sent with the token of shop" in text
        assert token not in text
        assert visitor.submit("churn", TYPED)[1]["status"] == 200
        assert page_system.headers[-1]["Authorization"] == f"Bearer {token}"


def test_a_model_without_inputs_gets_the_body_as_it_is(visitor: Visitor, page_system: RunningSystem) -> None:
    page_system.inputs = ()
    status, answer = visitor.submit("churn", {"body": '{"instances": [{"plan": "b"}]}'})

    assert (status, answer["status"]) == (200, 200)
    assert page_system.received == [{"instances": [{"plan": "b"}]}]


def test_what_has_not_started_is_named(visitor: Visitor, page_system: RunningSystem) -> None:
    """The page is available before any other component starts and names those that haven't started yet."""
    page_system.state.withdraw()
    (page_system.state.folder / READY).unlink()
    status, text = visitor.get()

    assert status == 200
    assert "the registry has not started yet" in text
    assert "the servers have not started yet" in text
    assert "<form" not in text


def test_a_registry_that_fails_is_named_and_the_page_stays(visitor: Visitor, page_system: RunningSystem) -> None:
    page_system.state.announce(registry="http://127.0.0.1:1")
    status, text = visitor.get()

    assert status == 200
    assert "the registry cannot be read: " in text
    assert "fails the gate" in text


def test_two_pages_take_two_ports(visitor: Visitor, page_system: RunningSystem) -> None:
    for second in opened(page_system):
        assert second.port != visitor.port
        assert second.get()[0] == 200


def test_only_loopback_reaches_the_page(visitor: Visitor) -> None:
    """The page listens on no other address of this machine, not even within the loopback network."""
    connection = http.client.HTTPConnection("127.0.0.2", visitor.port, timeout=5)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/")
