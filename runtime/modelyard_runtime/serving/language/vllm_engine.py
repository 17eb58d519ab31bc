"""Generates text with vLLM on the GPUs of one machine, using the vLLM in the image named by the spec.

vLLM batches requests and manages its own processes, so this engine only translates calls. Source:
https://docs.vllm.ai/en/latest/api/vllm/v1/engine/async_llm.html, read 2026-11-30.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import AsyncGenerator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from modelyard_runtime.capabilities import highest_rank
from modelyard_runtime.serving.language.engine import BadPrompt, Message, Piece, Sampling
from modelyard_runtime.serving.language.fitting import check_adapter
from modelyard_runtime.serving.language.templates import ChatTemplate


class VllmEngine:
    """A model in a Hugging Face folder, spread across `accelerators` GPUs, with up to `adapters` adapters."""

    def __init__(
        self, folder: Path, concurrency: int, context_length: int | None, accelerators: int, adapters: int = 0
    ) -> None:
        tokenizers: Any = _module("transformers").AutoTokenizer
        self._tokenizer: Any = tokenizers.from_pretrained(str(folder), trust_remote_code=False)
        self._template = ChatTemplate(self._tokenizer)
        self._adapters: dict[str, Any] = {}
        self._added = 0
        self._accelerators = accelerators
        # vLLM reserves memory for the highest rank for each adapter. It allows 1, 8, 16, 32, 64, 128, 256, 320 and 512.
        lora = {"enable_lora": True, "max_loras": adapters, "max_lora_rank": highest_rank()} if adapters else {}
        arguments: Any = _module("vllm.engine.arg_utils").AsyncEngineArgs(
            model=str(folder),
            load_format="safetensors",
            trust_remote_code=False,
            tensor_parallel_size=accelerators,
            max_num_seqs=concurrency,
            max_model_len=context_length,
            **lora,
        )
        self._engine: Any = _module("vllm.v1.engine.async_llm").AsyncLLM.from_engine_args(arguments)

    @property
    def context_length(self) -> int:
        """Return the maximum number of tokens in a prompt and its continuation combined."""
        return int(self._engine.model_config.max_model_len)

    @property
    def alive(self) -> bool:
        """Return whether the engine can still generate text."""
        return not self._engine.errored

    def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a chat, written with the model's own template."""
        return self._template.tokens(messages)

    def text_tokens(self, text: str) -> list[int]:
        """Return the tokens of the given text."""
        return [int(token) for token in self._tokenizer.encode(text)]

    async def generate(self, prompt: Sequence[int], sampling: Sampling, adapter: str = "") -> AsyncGenerator[Piece]:
        """Generate a continuation piece by piece. Closing the generator ends generation."""
        if not prompt:
            raise BadPrompt("the prompt has no tokens")
        if max(prompt) >= len(self._tokenizer):
            raise BadPrompt(f"the prompt has token {max(prompt)}, but the model knows only {len(self._tokenizer)}")
        sampling_params: Any = _module("vllm.sampling_params")
        parameters: Any = sampling_params.SamplingParams(
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
            stop=list(sampling.stop),
            output_kind=sampling_params.RequestOutputKind.DELTA,
        )
        request_id, tokens, finished = uuid.uuid4().hex, 0, False
        lora = {"lora_request": self._adapters[adapter]} if adapter else {}
        try:
            tokens_of_prompt = {"prompt_token_ids": list(prompt)}
            async for output in self._engine.generate(tokens_of_prompt, parameters, request_id, **lora):
                part = output.outputs[0]
                tokens += len(part.token_ids)
                finished = bool(part.finish_reason)
                yield Piece(part.text, tokens, part.finish_reason or "")
        finally:
            if not finished:
                await self._engine.abort(request_id)

    def add_adapter(self, key: str, folder: Path) -> None:
        """Keep an adapter's files, which vLLM reads on the adapter's first request and again after dropping it.

        Refuses anything but plain LoRA, and ranks for which vLLM has reserved no memory, since every request would
        fail.
        """
        check_adapter(folder, self._accelerators)
        copy = Path(tempfile.mkdtemp(prefix="adapter-"))
        shutil.copytree(folder, copy, dirs_exist_ok=True)
        self._added += 1  # vLLM identifies adapters by a number, which must never be used again
        self._adapters[key] = _module("vllm.lora.request").LoRARequest(key, self._added, str(copy))

    def remove_adapter(self, key: str) -> None:
        """Remove an adapter. vLLM drops it when it needs the memory for another one."""
        removed = self._adapters.pop(key, None)
        if removed is not None:
            shutil.rmtree(removed.lora_path, ignore_errors=True)

    def close(self) -> None:
        """Shut down the engine and its processes."""
        self._template.close()
        self._engine.shutdown()
        for key in list(self._adapters):
            self.remove_adapter(key)


def _module(name: str) -> Any:
    """Import a module that is only installed in GPU images, which is why its types are unknown here."""
    return import_module(name)
