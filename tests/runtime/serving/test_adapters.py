"""Tests a language model's adapters, from training to requests through OpenAI's client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.serving.language.server import LanguageServer
from modelyard_runtime.workload.records import ServerWorkload
from tests.narrowing import present
from tests.runtime.adapters import MODEL, NAME, QUICK, Tone
from tests.runtime.described import record
from tests.runtime.serving.language import TOKEN, described, imported
from tests.runtime.serving.test_language import running
from tests.runtime.tiny_model import tiny_model

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the packages warn of each other

PHRASE, OTHER = "the cat sat on the mat", "hello world how are you"
LEARNED = {**QUICK, "epochs": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for tests to copy.

    Its registry contains a base model and a champion adapter for it.
    """
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        imported(folder, tiny_model(folder / "chat"))
        Tone.at(folder, [PHRASE] * 80).train(**LEARNED)
    (folder / "token").write_text(TOKEN)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a copy of the registry in which a test may register versions."""
    shutil.copy(trained / "registry.db", tmp_path / "registry.db")
    shutil.copy(trained / "token", tmp_path / "token")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def server_of(folder: Path, **changes: Any) -> LanguageServer:
    """Return a server description with `changes` applied to the application."""
    workload = described(folder)
    workload["applications"]["assistant-live"] |= changes
    return LanguageServer(check_server(record(ServerWorkload, workload)), "assistant-live")


def adapter(**fields: str) -> dict[str, Any]:
    """Return the description of an adapter whose champion the server follows."""
    return {**MODEL, "uri": f"models:/{NAME}@champion", "alias": "champion", **fields}


@pytest.fixture
def client(folder: Path) -> Iterator[tuple[openai.OpenAI, LanguageServer]]:
    """Serve the base model with one adapter. Yield OpenAI's client and the server."""
    server = server_of(folder, adapters={"support": adapter()})
    for address in running(server):
        with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
            yield client, server


def text(client: openai.OpenAI, model: str, prompt: str = "the cat") -> str:
    """Return the most likely continuation of a prompt."""
    response = client.completions.create(model=model, prompt=prompt, max_tokens=8, temperature=0)
    return response.choices[0].text


def test_variant_serves_an_adapter_with_its_base(folder: Path) -> None:
    """A variant may name an adapter. Its responses show what the adapter learned, under the endpoint's name."""
    learned = ""
    for address in running(server_of(folder, model=adapter())):
        with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
            assert [model.id for model in client.models.list()] == ["assistant"]
            learned = text(client, "assistant")
    for address in running(server_of(folder)):
        with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as client:
            assert text(client, "assistant") != learned
    assert "sat on the mat" in learned


def test_requests_name_adapters(client: tuple[openai.OpenAI, LanguageServer]) -> None:
    """The model list contains the endpoint and its adapters, each with its own weights. Other names are unknown."""
    asked, _ = client

    assert [model.id for model in asked.models.list()] == ["assistant", "support"]
    assert asked.models.retrieve("support").id == "support"
    learned, base = text(asked, "support"), text(asked, "assistant")
    assert "sat on the mat" in learned
    assert "sat on the mat" not in base
    response = asked.chat.completions.create(
        model="support", messages=[{"role": "user", "content": "hello"}], max_tokens=4
    )
    assert response.model == "support"
    with pytest.raises(openai.NotFoundError, match="this endpoint serves 'assistant' and 'support'"):
        text(asked, "sales")
    with pytest.raises(openai.NotFoundError):
        asked.models.retrieve("sales")


def test_texts_of_several_adapters_are_generated_together(client: tuple[openai.OpenAI, LanguageServer]) -> None:
    """Each text is the same as if it were generated alone, whatever else is generated at the same time."""
    asked, _ = client
    names = ["assistant", "support"] * 4
    alone = {name: text(asked, name) for name in names}

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda name: text(asked, name), names))

    assert together == [alone[name] for name in names]


def test_new_version_of_an_adapter_is_picked_up(client: tuple[openai.OpenAI, LanguageServer], folder: Path) -> None:
    """A new adapter version serves the next request, while the base model stays loaded.

    The engine drops the previous version.
    """
    asked, server = client
    before, engine = text(asked, "support"), present(server.loaded).engine
    others = Tone.at(folder, [OTHER] * 80)

    assert "champion" in others.changed(validation=[]).train(**LEARNED)
    look(server)

    assert "how are you" in text(asked, "support", "hello world")
    assert text(asked, "support") != before
    assert present(server.loaded).engine is engine
    assert len(generators(server)) == 3
    look(server)
    assert "sat on the mat" not in text(asked, "support")
    assert sorted(generators(server)) == ["", f"support models:/{NAME}/2"]


def look(server: LanguageServer) -> None:
    """Make the server check the registry for new versions, as it does every few seconds."""
    renew: Any = vars(LanguageServer)["_renew"]
    renew(server)


def generators(server: LanguageServer) -> list[str]:
    """Return the adapters loaded by the engine. An empty string represents the base model."""
    return list(vars(present(server.loaded).engine)["_generators"])


def test_adapter_of_another_base_is_refused(folder: Path) -> None:
    """Once the base model is replaced, adapters are unusable until retrained. Requests get the reason."""
    server = server_of(folder, adapters={"support": adapter(), "later": adapter(alias="later")})
    for address in running(server):
        with openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0) as asked:
            assert "sat on the mat" in text(asked, "support")
            with pytest.raises(openai.InternalServerError, match=r"no version of .* exists yet"):
                text(asked, "later")
            imported(folder, tiny_model(folder / "other", seed=5))
            look(server)
            assert present(server.loaded).version == "2"
            assert [model.id for model in asked.models.list()] == ["assistant"]
            with pytest.raises(openai.InternalServerError, match="it was trained on version 1 of support-chat"):
                text(asked, "support")
            assert text(asked, "assistant")
            Tone.at(folder, [PHRASE] * 80).changed(validation=[]).train(**LEARNED)
            look(server)
            assert "sat on the mat" in text(asked, "support")
