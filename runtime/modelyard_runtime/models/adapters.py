"""Low-rank adapters for language models (LoRA), as MLX layers and as files in Hugging Face's PEFT format.

PEFT names matrices after the layers in the base model's own weights. mlx-lm uses the same names for most architectures,
so an adapter is only created for layers whose weights have the same name and shape in both. Source:
https://huggingface.co/docs/peft/developer_guides/checkpoint, read 2026-12-01.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.models.bases import Base
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry.language_files import ADAPTER_CONFIGURATION, ADAPTER_WEIGHTS

if TYPE_CHECKING:
    import mlx.core as mx

    Arrays = Mapping[str, mx.array]

_PREFIX = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"
_LEFT_OUT = frozenset({"lm_head", "gate", "router"})
"""Linear layers that engines do not adapt: the output layer, and the choice of experts."""

_UNSUPPORTED = ("use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern", "alpha_pattern", "lora_bias")


@dataclass(frozen=True, slots=True)
class Shape:
    """The rank of the matrices, and the weight given to their product."""

    rank: int
    alpha: float
    dropout: float = 0.0
    scale_by_root: bool = False

    @property
    def scale(self) -> float:
        """Return the scaling factor of the product, which PEFT derives from `alpha` and the rank."""
        return self.alpha / (sqrt(self.rank) if self.scale_by_root else self.rank)


def adaptable(model: Any, base_folder: Path) -> list[str]:
    """Return the names of a model's linear layers, refusing models whose weights have different names or shapes."""
    from mlx.nn.layers.linear import Linear

    stored = _stored_shapes(base_folder)
    linear = {
        name: tuple(module.weight.shape)
        for name, module in model.named_modules()
        if type(module) is Linear and name.rpartition(".")[2] not in _LEFT_OUT
    }
    named = sorted(name for name, shape in linear.items() if stored.get(f"{name}.weight") == shape)
    if not named or len(named) < len(linear):
        other = next((name for name in linear if name not in named), "")
        reason = (
            f"mlx-lm loads {other} from weights of another name or shape" if other else "none of its layers is linear"
        )
        raise Refusal(f"no adapter in PEFT's format can be trained for this model: {reason}")
    return named


def _stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        opener: Any = safe_open
        with opener(str(file), framework="numpy") as weights:
            shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    return shapes


def attach(model: Any, layers: Iterable[str], shape: Shape) -> None:
    """Replace linear layers with adapted ones. Only the new matrices are trainable, and initially have no effect."""
    from mlx.utils import tree_unflatten
    from mlx_lm.tuner.lora import LoRALinear

    model.freeze()
    modules = dict(model.named_modules())
    replaced: list[tuple[str, Any]] = []
    for name in layers:
        lora: Any = LoRALinear.from_base(modules[name], r=shape.rank, dropout=shape.dropout, scale=shape.scale)
        replaced.append((name, lora))
    model.update_modules(tree_unflatten(replaced))


def write_adapter(folder: Path, trained: Arrays, shape: Shape, base: Base) -> None:
    """Write trained matrices in PEFT format. In `trained`, they have MLX names."""
    import mlx.core as mx

    folder.mkdir(parents=True, exist_ok=True)
    weights = {_peft_name(name): mx.contiguous(matrix.T) for name, matrix in trained.items()}
    suffixes = sorted({name.removesuffix(".lora_a").rpartition(".")[2] for name in trained if name.endswith(".lora_a")})
    configuration = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base.uri,
        "r": shape.rank,
        "lora_alpha": shape.alpha,
        "lora_dropout": shape.dropout,
        "target_modules": suffixes,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "use_rslora": shape.scale_by_root,
        "use_dora": False,
        "modules_to_save": None,
    }
    mx.save_safetensors(str(folder / ADAPTER_WEIGHTS), weights, metadata={"format": "pt"})
    text = json.dumps(configuration, indent=1, sort_keys=True)
    (folder / ADAPTER_CONFIGURATION).write_text(f"{text}\n", encoding="utf-8")
    base.write(folder)


def _peft_name(name: str) -> str:
    layer, _, matrix = name.rpartition(".")
    return f"{_PREFIX}{layer}{_A if matrix == 'lora_a' else _B}"


def apply_adapter(model: Any, folder: Path) -> None:
    """Add an adapter in PEFT format to a model, refusing adapters that don't fit its layers."""
    import mlx.core as mx

    shape = _shape_of(folder)
    weights: Any = mx.load(str(folder / ADAPTER_WEIGHTS))
    matrices: dict[str, mx.array] = dict(weights)
    layers = _layers(matrices)
    loaded: list[tuple[str, mx.array]] = []
    for layer in layers:
        loaded += _matrices(model, matrices, layer, shape.rank)
    attach(model, layers, shape)
    model.load_weights(loaded, strict=False)
    model.eval()


def check_files(folder: Path) -> None:
    """Refuse an adapter whose files alone show that no engine can use it, without loading its base model."""
    rank = _shape_of(folder).rank
    shapes = _stored_shapes(folder)
    if not shapes:
        raise Refusal(f"the adapter has no matrices: {ADAPTER_WEIGHTS} is missing or empty")
    _layers(shapes)
    for name, shape in shapes.items():
        if len(shape) != 2 or shape[0 if name.endswith(_A) else 1] != rank:
            raise Refusal(f"{name[:200]} of the adapter has the shape {shape}, but the adapter's rank is {rank}")


def _layers(names: Iterable[str]) -> list[str]:
    """Return the names of the layers that the matrices belong to, refusing any other names."""
    matrices = list(names)
    unknown = next((name for name in matrices if not name.startswith(_PREFIX) or not name.endswith((_A, _B))), None)
    if unknown is not None:
        raise Refusal(f"the adapter has {unknown[:200]!r}, which is no matrix of a linear layer")
    return sorted({name.removeprefix(_PREFIX).removesuffix(_A).removesuffix(_B) for name in matrices})


def _matrices(model: Any, matrices: Arrays, layer: str, rank: int) -> list[tuple[str, mx.array]]:
    """Check that both matrices of a layer fit, and return them with their MLX names."""
    from mlx.nn.layers.linear import Linear

    module: Any = dict(model.named_modules()).get(layer)
    if type(module) is not Linear:
        raise Refusal(f"the adapter changes {layer[:200]!r}, which is no linear layer of the base model")
    outputs, inputs = module.weight.shape
    expected = {"lora_a": (_A, (rank, inputs)), "lora_b": (_B, (outputs, rank))}
    found: list[tuple[str, mx.array]] = []
    for name, (suffix, shape) in expected.items():
        matrix = matrices.get(f"{_PREFIX}{layer}{suffix}")
        if matrix is None or tuple(matrix.shape) != shape:
            actual = "is missing" if matrix is None else f"has the shape {tuple(matrix.shape)}"
            raise Refusal(f"{layer}{suffix} of the adapter {actual}, but the base model needs {shape}")
        found.append((f"{layer}.{name}", matrix.T))
    return found


def rank_of(folder: Path) -> int:
    """Return the rank of the adapter in a folder."""
    return _shape_of(folder).rank


def _shape_of(folder: Path) -> Shape:
    try:
        configuration = json.loads((folder / ADAPTER_CONFIGURATION).read_text(encoding="utf-8"))
        kind, bias = str(configuration["peft_type"]), str(configuration.get("bias", "none"))
        used = next((name for name in _UNSUPPORTED if configuration.get(name)), "")
        by_root = bool(configuration.get("use_rslora"))
        shape = Shape(int(configuration["r"]), float(configuration["lora_alpha"]), 0.0, by_root)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Refusal(f"{ADAPTER_CONFIGURATION} of the adapter cannot be read: {problem}") from None
    if kind != "LORA" or bias != "none" or used or shape.rank < 1:
        reason = used or (f"bias: {bias}" if bias != "none" else f"peft_type: {kind}")
        raise Refusal(f"the adapter uses {reason}, but only LoRA of linear layers is supported")
    return shape


def shared_copy(model: Any) -> Any:
    """Return a copy that has its own layers, and can take another adapter, but shares the weights in memory."""
    return _copied(model)


def _copied(value: Any) -> Any:
    from mlx.nn.layers.base import Module

    if isinstance(value, Module):
        module: Any = dict.__new__(type(value))
        dict.update(module, {name: _copied(part) for name, part in value.items()})
        vars(module).update({name: set(part) if isinstance(part, set) else part for name, part in vars(value).items()})
        return module
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_copied(part) for part in value)
    return value
