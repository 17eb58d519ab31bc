"""Tests a language model, from its import to requests through OpenAI's client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
import uvicorn
from starlette.requests import Request

import modelyard_runtime
from modelyard_runtime.local.calling import Endpoint
from modelyard_runtime.local.chatting import replies
from modelyard_runtime.local.page.server import Page
from modelyard_runtime.local.plan import read_plan
from modelyard_runtime.local.state import READY, State
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import FORMAT_TAG, SAFETENSORS
from modelyard_runtime.serving.application import Server, server_class
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.serving.language import mlx_engine
from modelyard_runtime.serving.language.engine import Sampling
from modelyard_runtime.serving.language.mlx_engine import MlxEngine, TextFailed
from modelyard_runtime.serving.language.requests import ApiError, request_of
from modelyard_runtime.serving.language.server import LanguageServer
from modelyard_runtime.workload.records import ServerWorkload
from tests.narrowing import present
from tests.runtime import servers
from tests.runtime.described import record
from tests.runtime.serving.language import HELLO, MOST, NAME, TOKEN, described, imported
from tests.runtime.tiny_model import CONTEXT, tiny_model
from tests.shown_system import COMPILED, Visitor

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the packages warn of each other


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that contains a tiny model."""
    return tiny_model(tmp_path_factory.mktemp("model") / "chat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the registry."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def address(model: Path, folder: Path) -> Iterator[str]:
    """Serve the imported model to callers with a token, and yield the endpoint's address."""
    (folder / "token").write_text(TOKEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        imported(folder, model)
        server = LanguageServer(check_server(record(ServerWorkload, described(folder))), "assistant-live")
        yield from running(server)


def running(server: LanguageServer) -> Iterator[str]:
    """Run a server under a URL path prefix, as Ray Serve does, and yield its address."""

    async def app(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        response = await server(Request({**scope, "root_path": "/support"}, receive))
        await response(scope, receive, send)

    web = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    while not web.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/support"
    web.should_exit = True
    thread.join(timeout=30)
    server.__del__()


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    """Return OpenAI's client for the endpoint."""
    with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


def chat(client: openai.OpenAI, **fields: Any) -> Any:
    """Request a chat completion whose output is deterministic."""
    request = {"model": "assistant", "messages": HELLO, "max_tokens": 12, "temperature": 0, **fields}
    create: Any = client.chat.completions.create
    return create(**request)


def test_models_are_listed_and_described(client: openai.OpenAI) -> None:
    """Requests use the endpoint's name, whichever version responds."""
    assert [model.id for model in client.models.list()] == ["assistant"]
    assert client.models.retrieve("assistant").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


def test_run_shows_what_a_model_answers(address: str, folder: Path) -> None:
    """`modelyard run` sends one chat to each model and prints a command to repeat it."""
    endpoint = Endpoint("support", "/", urlsplit(address).port or 0, folder / "token")

    (reply,) = replies(endpoint)

    assert (reply.model, reply.problem) == ("assistant", "")
    assert reply.text
    sent = subprocess.run(["sh", "-c", reply.command], stdout=subprocess.PIPE, check=True).stdout
    assert json.loads(sent)["model"] == "assistant"


def test_page_of_a_run_has_a_form_for_chats(address: str, tmp_path: Path) -> None:
    """The form lists the endpoint's models by name and shows the generated text or the error message."""
    state, port = State.at(tmp_path / "state"), urlsplit(address).port or 0
    state.announce(endpoints=port)
    state.below(READY).touch()
    state.below("tokens", "support", "default").write_text(TOKEN)
    entry = present(read_plan(COMPILED).endpoints.get("churn"))
    chats = replace(entry, generates_text=True, callers=("default",))
    page = Page.start(replace(read_plan(COMPILED), endpoints={"support": chats}), COMPILED, state)
    visitor = Visitor(page.url)
    _, answered = visitor.submit("support", {"model": "assistant", "body": "hello"})
    _, refused = visitor.submit("support", {"model": "another", "body": "hello"})
    _, text = visitor.get()
    page.end()

    assert '<option value="assistant">assistant</option>' in text
    assert answered["status"] == 200
    assert answered["answer"]
    assert refused == {"status": 404, "answer": "there is no model 'another' here; this endpoint serves 'assistant'"}


def test_chat_is_the_same_whole_and_streamed(client: openai.OpenAI, model: Path) -> None:
    """Whole and streamed responses match the model's own output. A stream ends with the token usage."""
    response = chat(client)
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))

    text = response.choices[0].message.content
    assert text == by_mlx(model, HELLO, 12)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert chunks[-1].usage == response.usage
    assert response.usage.completion_tokens == 12
    assert len(chunks) > 4  # several pieces, as they come


def by_mlx(model: Path, messages: list[Any], tokens: int) -> str:
    """Generate text with mlx-lm's own function."""
    from mlx_lm import generate, load

    loaded: Any = load(str(model))
    prompt = loaded[1].apply_chat_template(messages, add_generation_prompt=True)
    text: str = generate(loaded[0], loaded[1], prompt, max_tokens=tokens)
    return text


def test_completion_of_text_and_of_tokens(client: openai.OpenAI) -> None:
    """A prompt may be a string or a list of tokens, and the generated text ends before a stop sequence."""

    def text(prompt: Any, **fields: Any) -> Any:
        create: Any = client.completions.create
        return create(model="assistant", prompt=prompt, **{"max_tokens": 12, "temperature": 0, **fields}).choices[0]

    complete = text("hello world")
    stopped = text("hello world", stop=[complete.text[4:7]])

    assert stopped.text == complete.text[: complete.text.index(complete.text[4:7])]
    assert stopped.finish_reason == "stop"
    tokens = client.completions.create(model="assistant", prompt=[5, 6, 7], max_tokens=1, temperature=0)
    assert present(tokens.usage).prompt_tokens == 3
    streamed = client.completions.create(
        model="assistant", prompt="hello world", max_tokens=12, temperature=0, stream=True
    )
    assert "".join(chunk.choices[0].text for chunk in streamed) == complete.text


def test_seed_repeats_a_text(client: openai.OpenAI) -> None:
    """The same seed gives the same text even alongside other requests. A different seed gives a different text."""
    with ThreadPoolExecutor(max_workers=6) as threads:
        seeds = [1, 1, 2, 3, 1, 4]
        responses = list(threads.map(lambda seed: chat(client, seed=seed, temperature=2, top_p=0.95), seeds))
    texts = [response.choices[0].message.content for response in responses]

    assert len({text for text, seed in zip(texts, seeds, strict=True) if seed == 1}) == 1
    assert len(set(texts)) == 4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text parts"),
        ({"max_tokens": MOST + 1}, f"at most {MOST} tokens"),
        ({"temperature": 3}, "from 0 to 2"),
        ({"n": 2}, "'n'"),
        ({"tools": [{"type": "function"}]}, "'tools'"),
        ({"extra_body": {"guided_regex": "a+"}}, "'guided_regex'"),
        ({"messages": [{"role": "user", "content": "the cat " * CONTEXT}]}, f"context is {CONTEXT}"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(client: openai.OpenAI, fields: dict[str, Any], message: str) -> None:
    """Unsupported options are rejected rather than ignored. Rejected streaming requests also get an error status."""
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match=message) as refused:
            chat(client, stream=stream, **fields)
        assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"messages": [{"role": ["user"], "content": "hello"}]}, "must have a role"),
        ({"temperature": 10**400}, "from 0 to 2"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "surrogate"),
        ({"logprobs": 0}, "'logprobs'"),
    ],
)
def test_unusual_json_is_refused_with_a_reason(changed: dict[str, Any], message: str) -> None:
    """JSON can contain values no client ever sends, and none of them may cause a server error."""
    with pytest.raises(ApiError, match=message):
        request_of(json.dumps({"model": "assistant", "messages": HELLO, **changed}).encode(), chat=True)


def test_long_prompts_are_refused_before_they_become_tokens(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokenizing 15 MB takes gigabytes of memory and half a minute, during which other requests wait."""
    lengths: list[int] = []
    original = MlxEngine.text_tokens

    def text_tokens(engine: MlxEngine, text: str) -> list[int]:
        lengths.append(len(text))
        return original(engine, text)

    monkeypatch.setattr(MlxEngine, "text_tokens", text_tokens)
    for messages in ([{"role": "user", "content": "the cat " * 1_900_000}], HELLO * (CONTEXT + 1)):
        with pytest.raises(openai.BadRequestError, match=f"context is {CONTEXT}"):
            chat(client, messages=messages)
    with pytest.raises(openai.BadRequestError, match=f"context is {CONTEXT}"):
        client.completions.create(model="assistant", prompt="the cat " * 8 * CONTEXT)
    assert lengths == [8 * CONTEXT]


def test_unknown_model_and_wrong_token(client: openai.OpenAI, address: str) -> None:
    """Requests for an unknown model get a 404, and requests with a wrong token get a 401."""
    with pytest.raises(openai.NotFoundError, match="serves 'assistant'") as missing:
        chat(client, model="gpt-4o")
    with pytest.raises(openai.AuthenticationError):
        chat(client.with_options(api_key="another"))

    assert missing.value.code == "model_not_found"
    with urllib.request.urlopen(f"{address}/healthz", timeout=30) as response:  # a probe has no token
        assert json.load(response) == {"status": "ok", "version": "1"}


def test_texts_are_generated_together_and_end_with_their_request(model: Path) -> None:
    """Ten texts generated in batches of four equal the same texts generated one by one.

    Generation stops when the reader does.
    """
    engine = MlxEngine(model, concurrency=4)
    prompts = [engine.text_tokens(text) for text in ("hello", "the cat", "user", "world", "mat sat on") * 2]

    async def text(prompt: list[int]) -> str:
        return "".join([piece.text async for piece in engine.generate(prompt, Sampling(10, 0))])

    async def work() -> None:
        alone = [await text(prompt) for prompt in prompts]
        given_up = engine.generate(prompts[0], Sampling(100, 0))
        await anext(given_up)
        assert engine.running == 1
        await given_up.aclose()
        assert await asyncio.gather(*map(text, prompts)) == alone
        assert engine.running == 0

    asyncio.run(work())
    engine.close()
    deadline = time.monotonic() + 10
    while engine.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not engine.alive


def test_a_text_that_fails_leaves_the_others(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the tokenizer can't decode a token, only the request that generated it fails."""
    engine = MlxEngine(model, concurrency=4)
    original: Callable[[Any, Any], str] = getattr(mlx_engine, "_text_of")  # noqa: B009 - private to its module

    def text_of(job: Any, response: Any) -> str:
        if job.sampling.seed == 13 and job.tokens == 2:
            raise TypeError("no such token")
        return original(job, response)

    monkeypatch.setattr(mlx_engine, "_text_of", text_of)

    async def text(seed: int) -> str:
        sampling = Sampling(10, 1.0, seed=seed)
        return "".join([piece.text async for piece in engine.generate(engine.text_tokens("hello"), sampling)])

    async def work() -> list[Any]:
        return await asyncio.gather(*map(text, (12, 13, 14)), return_exceptions=True)

    first, failed, third = asyncio.run(work())
    assert isinstance(failed, TextFailed)
    assert first
    assert third
    assert engine.alive
    assert engine.running == 0
    engine.close()


def test_context_is_at_most_that_of_the_model(model: Path) -> None:
    """Contexts longer than a model was made for are rejected, because its output would be nonsense."""
    with pytest.raises(Refusal, match=f"made for {CONTEXT} tokens"):
        MlxEngine(model, concurrency=1, context_length=CONTEXT + 1)


def test_no_compiler_is_started(model: Path, tmp_path: Path) -> None:
    """MLX must not compile while requests wait. Otherwise, it would run g++ for each new `top_p`."""
    compiler, record = tmp_path / "g++", tmp_path / "record"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {record}\nexec /usr/bin/g++ "$@"\n')
    compiler.chmod(0o755)
    program = """
import asyncio, sys
from pathlib import Path
from modelyard_runtime.serving.language import mlx_engine
from modelyard_runtime.serving.language.engine import BadPrompt, Sampling
from modelyard_runtime.serving.language.mlx_engine import MlxEngine, TextFailed
from modelyard_runtime.serving.language.requests import ApiError, request_of
engine = MlxEngine(Path(sys.argv[1]), 2)
async def text():
    return "".join([piece.text async for piece in engine.generate([5, 6], Sampling(5, 1.0, 0.7123))])
print(len(asyncio.run(text())) > 0)
"""
    source = str(Path(modelyard_runtime.__file__).parents[1])
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": source, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-W", "ignore", "-c", program, str(model)]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert completed.stdout == "True\n", completed.stderr
    assert not record.exists() or "-o" not in record.read_text().split()


@pytest.mark.usefixtures("address")
def test_version_has_its_format_and_other_files_are_refused(model: Path, folder: Path) -> None:
    """Only safetensors files are imported, because other formats may run code on loading."""
    assert [version.tags[FORMAT_TAG] for version in registry.versions(NAME)] == [SAFETENSORS]
    (model / "pytorch_model.bin").write_bytes(b"pickled")
    try:
        with pytest.raises(Refusal, match=r"pytorch_model\.bin may run code"):
            imported(folder, model)
    finally:
        (model / "pytorch_model.bin").unlink()


def test_class_of_an_application_follows_its_settings(tmp_path: Path) -> None:
    """The same functions deploy both application classes, in a cluster and on one machine."""
    assert server_class(record(ServerWorkload, described(tmp_path)), "assistant-live") is LanguageServer
    assert server_class(record(ServerWorkload, servers.workload(tmp_path)), "scorer-live") is Server
