"""Tests how requests are translated for vLLM, using a fake that records calls because vLLM needs a GPU."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.serving.language.engine import BadPrompt, Piece, Sampling
from modelyard_runtime.serving.language.vllm_engine import VllmEngine
from tests.runtime.serving.language import adapter_files


class Llm:
    """A fake of vLLM's engine that generates three tokens for every prompt."""

    def __init__(self, arguments: SimpleNamespace) -> None:
        self.arguments, self.asked, self.aborted = arguments, list[Any](), list[str]()
        self.adapters: list[Any] = []
        self.model_config = SimpleNamespace(max_model_len=arguments.max_model_len)

    async def generate(
        self, prompt: Any, parameters: Any, request_id: str, *, lora_request: Any = None
    ) -> AsyncGenerator[Any]:
        self.asked.append((prompt, vars(parameters), request_id))
        self.adapters.append(lora_request)
        for text, tokens, reason in (("a", [1], None), ("bc", [2, 3], "length")):
            part = SimpleNamespace(text=text, token_ids=tokens, finish_reason=reason)
            yield SimpleNamespace(outputs=[part])

    async def abort(self, request_id: str) -> None:
        self.aborted.append(request_id)


class Tokenizer:
    """A tokenizer with ten known tokens."""

    chat_template = None

    def __len__(self) -> int:
        return 10


class Adapter:
    """A fake of an adapter request, with the field names that vLLM uses."""

    def __init__(self, lora_name: str, lora_int_id: int, lora_path: str) -> None:
        self.lora_name, self.lora_int_id, self.lora_path = lora_name, lora_int_id, lora_path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> VllmEngine:
    """Return an engine that uses the fake vLLM."""
    attributes: dict[str, dict[str, Any]] = {
        "vllm.engine.arg_utils": {"AsyncEngineArgs": SimpleNamespace},
        "vllm.v1.engine.async_llm": {"AsyncLLM": SimpleNamespace(from_engine_args=Llm)},
        "vllm.sampling_params": {
            "SamplingParams": SimpleNamespace,
            "RequestOutputKind": SimpleNamespace(DELTA="delta"),
        },
        "vllm.lora.request": {"LoRARequest": Adapter},
        "transformers": {"AutoTokenizer": SimpleNamespace(from_pretrained=lambda *_, **__: Tokenizer())},
    }
    for name, values in attributes.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    return VllmEngine(Path("/models/chat"), 4, 256, 2)


async def pieces(engine: VllmEngine, prompt: list[int], most: int = 9, adapter: str = "") -> list[Piece]:
    """Generate up to `most` pieces of text, then stop the generation."""
    received: list[Piece] = []
    generating = engine.generate(prompt, Sampling(3, 0.5, 0.9, 7, ("END",)), adapter)
    async for piece in generating:
        received.append(piece)
        if len(received) == most:
            break
    await generating.aclose()
    return received


def test_request_and_pieces_are_translated(engine: VllmEngine) -> None:
    """vLLM gets the prompt tokens and all settings, and its deltas add up to the generated token count."""
    received = asyncio.run(pieces(engine, [1, 2]))

    llm: Any = vars(engine)["_engine"]
    ((prompt, parameters, _),) = llm.asked
    assert received == [Piece("a", 1), Piece("bc", 3, "length")]
    assert prompt == {"prompt_token_ids": [1, 2]}
    expected = {"max_tokens": 3, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"], "output_kind": "delta"}
    assert parameters == expected
    assert llm.aborted == []
    assert engine.context_length == 256
    assert llm.arguments.tensor_parallel_size == 2
    assert llm.arguments.trust_remote_code is False


def test_text_that_is_given_up_is_aborted(engine: VllmEngine) -> None:
    """If a client disconnects, vLLM aborts that client's generation only."""
    asyncio.run(pieces(engine, [1, 2], most=1))

    llm: Any = vars(engine)["_engine"]
    assert llm.aborted == [llm.asked[0][2]]


@pytest.mark.parametrize("prompt", [[], [10]])
def test_prompt_that_the_model_does_not_know_is_refused(engine: VllmEngine, prompt: list[int]) -> None:
    with pytest.raises(BadPrompt):
        asyncio.run(pieces(engine, prompt))


@pytest.mark.usefixtures("engine")
def test_adapters_are_named_in_requests(tmp_path: Path) -> None:
    """Each adapter has its own number. Its files are kept until it is removed, whatever happens to their source."""
    adapter_files(tmp_path, rank=64)
    engine = VllmEngine(Path("/models/chat"), 4, 256, 2, adapters=2)
    engine.add_adapter("tone/1", tmp_path)
    engine.add_adapter("tone/2", tmp_path)
    asyncio.run(pieces(engine, [1]))
    asyncio.run(pieces(engine, [1], adapter="tone/2"))

    llm: Any = vars(engine)["_engine"]
    assert (llm.arguments.enable_lora, llm.arguments.max_loras, llm.arguments.max_lora_rank) == (True, 2, 64)
    without, used = llm.adapters
    assert without is None
    assert (used.lora_name, used.lora_int_id) == ("tone/2", 2)
    assert (Path(used.lora_path) / "adapter_config.json").is_file()
    engine.remove_adapter("tone/2")
    assert not Path(used.lora_path).exists()


def test_engine_without_adapters_reserves_no_memory(engine: VllmEngine) -> None:
    llm: Any = vars(engine)["_engine"]
    assert not hasattr(llm.arguments, "enable_lora")


@pytest.mark.usefixtures("engine")
def test_adapter_of_too_high_a_rank_is_refused(tmp_path: Path) -> None:
    """vLLM reserves memory for rank 64. The engine rejects a higher rank, which would fail every request."""
    adapter_files(tmp_path, rank=65)
    engine = VllmEngine(Path("/models/chat"), 4, 256, 2, adapters=1)

    with pytest.raises(Refusal, match="rank 65, but at most 64"):
        engine.add_adapter("tone/1", tmp_path)
