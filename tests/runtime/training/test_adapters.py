"""Tests adapters of a tiny language model: their training, format and gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from modelyard_runtime.models.adapters import Shape, adaptable, apply_adapter, attach, shared_copy, write_adapter
from modelyard_runtime.models.bases import Base, base_files
from modelyard_runtime.models.texts import examples, likelihoods, load_quietly
from modelyard_runtime.pipelines.checks import check_pipeline
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import ADAPTER, FORMAT_TAG
from modelyard_runtime.training.language.settings import LoraSettings
from modelyard_runtime.training.language.worker import Loop, matrices_in
from tests.narrowing import present
from tests.runtime.adapters import NAME, PHRASES, QUICK, Tone
from tests.runtime.serving.language import NAME as BASE_NAME
from tests.runtime.serving.language import imported
from tests.runtime.tiny_model import tiny_model

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the packages warn of each other

BASE = Base(BASE_NAME, "1", "sha256:0")
SHAPE = Shape(4, 8.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that contains a tiny model."""
    return tiny_model(tmp_path_factory.mktemp("model") / "chat")


@pytest.fixture(scope="module")
def registered(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for tests to copy, whose registry has the tiny model as champion."""
    folder = tmp_path_factory.mktemp("registered")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        imported(folder, model)
    return folder


@pytest.fixture
def tone(registered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tone:
    """Return a pipeline that trains an adapter for the base model in its registry."""
    shutil.copy(registered / "registry.db", tmp_path / "registry.db")
    monkeypatch.chdir(tmp_path)
    return Tone.at(tmp_path, PHRASES)


def test_adapter_is_trained_gated_and_promoted(tone: Tone) -> None:
    """The first version goes live and records its base model.

    A worse version is kept but refused, and a better one is promoted.
    """
    first = tone.train(epochs=1)
    worse = tone.train(learning_rate=1e-6, max_steps=1)
    better = tone.train(epochs=6)

    assert "champion" in first
    assert "fails the gate: better: perplexity is" in worse
    assert "champion" in better
    assert tone.champion() == "3"
    version = registry.version(NAME, "1")
    base = present(registry.version_at(BASE_NAME, "champion"))
    assert version.tags[FORMAT_TAG] == ADAPTER
    assert version.tags["modelyard.base"] == f"{BASE_NAME}/1"
    assert version.tags["modelyard.base.digest"] == base.tags["modelyard.digest"]
    metrics = MlflowClient().get_run(registry.version(NAME, "3").run_id).data.metrics
    assert metrics["perplexity"] < metrics["base_perplexity"] / 2
    assert tone.gate("3")["gained"] > 0 > tone.gate("2")["gained"]


def test_files_are_those_of_peft(tone: Tone, model: Path, tmp_path: Path) -> None:
    """Adding the adapter's matrix product to the base weights, as PEFT defines it, yields the trained model."""
    from safetensors.numpy import load_file

    adapter, data = tone.grow()
    write_adapter(tmp_path / "adapter", matrices_in(adapter.grown), adapter.shape, adapter.base)
    configuration = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    texts = [(None, text) for text in data.held_out["text"].tolist()]

    assert configuration["target_modules"] == [
        "down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj",
    ]  # fmt: skip
    assert weights["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"].shape == (4, 32)
    assert weights["base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"].shape == (64, 4)
    merged = merged_by_hand(model, weights, configuration["lora_alpha"] / configuration["r"])
    whole, tokenizer = load_quietly(str(model))
    loaded = shared_copy(whole)
    apply_adapter(loaded, tmp_path / "adapter")
    rows = examples(tokenizer, texts, 64)
    by_layers, by_weights = likelihoods(loaded, rows)[0], likelihoods(merged, rows)[0]
    np.testing.assert_allclose(by_layers, by_weights, rtol=1e-4)
    assert by_layers.sum() < likelihoods(whole, rows)[0].sum() / 2  # the base keeps its own weights


def merged_by_hand(model: Path, weights: dict[str, Any], scale: float) -> Any:
    """Return the base model with the adapter's matrices merged into its weights."""
    import mlx.core as mx

    merged, _ = load_quietly(str(model))
    for name in [name for name in weights if name.endswith(".lora_A.weight")]:
        layer = name.removesuffix(".lora_A.weight")
        delta = scale * weights[f"{layer}.lora_B.weight"] @ weights[name]
        module: Any = dict(merged.named_modules())[layer.removeprefix("base_model.model.")]
        module.weight = module.weight + mx.array(delta)
    return merged


def test_saved_and_loaded_adapter_has_the_same_logits(model: Path, tmp_path: Path) -> None:
    """Converting an adapter to PEFT's names and back preserves every bit."""
    import mlx.core as mx
    from mlx.utils import tree_flatten

    base, _ = load_quietly(str(model))
    trained = shared_copy(base)
    attach(trained, adaptable(base, model), SHAPE)
    mx.random.seed(1)
    shapes: dict[str, Any] = dict(tree_flatten(trained.trainable_parameters()))
    matrices = {name: mx.random.normal(array.shape) for name, array in shapes.items()}
    trained.load_weights(list(matrices.items()), strict=False)
    write_adapter(tmp_path, matrices, SHAPE, BASE)
    loaded = shared_copy(base)
    apply_adapter(loaded, tmp_path)

    tokens = mx.array([[5, 6, 7, 8]])
    assert mx.array_equal(trained(tokens), loaded(tokens))
    assert not mx.array_equal(base(tokens), loaded(tokens))


def test_resumed_training_is_the_same(model: Path) -> None:
    """Training resumed from saved bytes gives bit-identical matrices and optimizer state, even with dropout."""
    import mlx.core as mx

    base, tokenizer = load_quietly(str(model))
    rows = examples(tokenizer, [(None, text) for text in PHRASES[:20]], 64)
    settings = LoraSettings(rank=2, batch_size=4, learning_rate=0.01, dropout=0.2)

    def loop() -> Loop:
        mx.random.seed(0)
        adapted = shared_copy(base)
        attach(adapted, adaptable(base, model), Shape(2, 4.0, settings.dropout))
        return Loop(adapted, rows, settings)

    whole, killed, resumed = loop(), loop(), loop()
    losses = [whole.run(range(4)), whole.run(range(4, 9))]
    killed.run(range(4))
    resumed.restore(killed.saved())
    mx.random.seed(5)

    assert resumed.run(range(4, 9)) == losses[1] < losses[0]
    expected, found = arrays_in(whole.saved()), arrays_in(resumed.saved())
    assert expected.keys() == found.keys()
    assert all(np.array_equal(found[name], array) for name, array in expected.items())


def arrays_in(content: bytes) -> dict[str, Any]:
    """Return the arrays stored in a safetensors file."""
    from safetensors.numpy import load

    loaded: dict[str, Any] = load(content)
    return loaded


def test_prompt_is_not_learned(model: Path) -> None:
    """Only tokens after the prompt are learned.

    The prompt is formatted as a chat, followed by the text and an end token.
    """
    _, tokenizer = load_quietly(str(model))
    (row,) = examples(tokenizer, [("hello", "world")], 64)

    assert tokenizer.decode(list(row.tokens[: row.begins])) == "user: hello\nassistant:"
    assert tokenizer.decode(list(row.tokens[row.begins :])) == "world</s>"
    (whole,) = examples(tokenizer, [(None, "hello world")], 64)
    assert (whole.begins, tokenizer.decode(list(whole.tokens))) == (1, "hello world</s>")


def test_prompts_come_from_the_feature(tone: Tone) -> None:
    """With a feature column, each row is a prompt and a text. Rows missing either are skipped."""
    prompts = ["hello"] * 99 + [None]
    frame = pd.DataFrame({"ask": prompts, "text": [f"how are you {number}" for number in range(100)], "id": range(100)})
    frame.to_parquet(tone.folder / "texts.parquet")
    paired = tone.changed(dataset={"features": ["ask"]})

    assert "champion" in paired.train(max_steps=1)
    _, data = paired.grow(max_steps=1)
    assert len(data.train) + len(data.held_out) == 99


def test_another_base_is_refused(tone: Tone, tmp_path: Path) -> None:
    """An adapter is evaluated only with the base model's files that it was trained on."""
    adapter, _ = tone.grow(max_steps=1)
    other = Base(adapter.base.name, adapter.base.version, "sha256:1")

    with pytest.raises(Refusal, match="was trained on version 1 of support-chat"), base_files(other):
        pass
    adapter.base.write(tmp_path)
    assert Base.read(tmp_path) == adapter.base
    (tmp_path / "base.json").write_text("{}")
    with pytest.raises(Refusal, match="does not record its base model"):
        Base.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"peft_type": "LOHA"}, "uses peft_type: LOHA"),
        ({"use_dora": True}, "uses use_dora"),
        ({"bias": "all"}, "uses bias: all"),
        ({"r": 2}, "has the shape"),
        ({"r": "many"}, "cannot be read"),
    ],
)
def test_foreign_adapters_are_refused(model: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """Adapters with settings MLX's layers don't support are rejected rather than loaded without them."""
    import mlx.core as mx

    base, _ = load_quietly(str(model))
    layer = "model.layers.0.self_attn.q_proj"
    matrices = {f"{layer}.lora_a": mx.zeros((32, 4)), f"{layer}.lora_b": mx.zeros((4, 32))}
    write_adapter(tmp_path, matrices, SHAPE, BASE)
    file = tmp_path / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))

    with pytest.raises(Refusal, match=message):
        apply_adapter(base, tmp_path)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"rank": 0}, "'rank' must be a whole number of at least 1"),
        ({"learning_rate": 0}, "'learning_rate' must be a number above 0"),
        ({"dropout": 1}, "'dropout' must be"),
        ({"max_steps": True}, "'max_steps' must be"),
    ],
)
def test_wrong_parameters_are_refused(parameter: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        LoraSettings(**{**QUICK, **parameter})


def test_pipeline_without_base_is_refused(tone: Tone) -> None:
    """A pipeline without a base model is rejected, because language models can be trained only via adapters."""
    pipeline = tone.workload["pipeline"]
    model = {key: value for key, value in pipeline["model"].items() if key != "base"}

    assert check_pipeline(tone.changed(steps=step()).record()).pipeline.task == "text-generation"
    with pytest.raises(Refusal, match="names none"):
        check_pipeline(tone.changed(steps=step(), model=model).record())
    two = tone.changed(steps=step(), dataset={"features": ["a", "b"]})
    with pytest.raises(Refusal, match="one prompt at most"):
        check_pipeline(two.record())


def step() -> dict[str, Any]:
    """Return the pipeline's training step by name, with one worker."""
    return {"learn": {"inputs": ["texts"], "trainer": "transformers", "workers": {"min": 1, "max": 1}}}
