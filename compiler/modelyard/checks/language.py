"""Check how language models are registered, and which endpoint, pipeline and monitor fields apply to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.capabilities import highest_rank, monitor_type
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import language as problems
from modelyard.provider import Rule
from modelyard.spec import Batching, Inference, Model, ModelRef, Pipeline, Step, System, Variant
from modelyard.spec.scoring import scorings
from modelyard.spec.watched import watched_models

_TASK: Final = "text-generation"
_FRAMEWORK: Final = "transformers"
_BY_TOKENS: Final = "ongoing-tokens"
_WAITING: Final = 2
"""The autoscaler reacts too late if its target is more than this many requests per concurrently generated text."""

_FOREIGN_FIELDS: Final = (
    (
        "batching",
        "it already generates several texts at a time, without waiting to fill a batch",
        "use `generation.concurrency`",
    ),
    ("capture", "captures contain rows of model inputs and predictions", "remove `capture`"),
    ("mirror", "each mirrored request would generate another full text", "compare versions with `traffic`"),
)


def models(system: System) -> Iterator[Diagnostic]:
    """Require language models to declare their framework, and to be imported or adapters of imported models."""
    for model in system.models.values():
        path, subject = ("models", model.name), f"model '{model.name}'"
        yield from _adapter(system, model)
        if model.generates_text != (model.framework == _FRAMEWORK):
            reason = f"cannot have the task {model.task} and the framework {model.framework}"
            hint = f"use `task: {_TASK}` and `framework: {_FRAMEWORK}` only together"
            yield problems.language_model_unsupported(system.at(*path, "framework"), subject, reason, hint)
        elif model.generates_text and system.registry is not None and system.registry.adopt:
            reason = "is a language model, which can be imported only into a registry that the system runs itself"
            hint = "replace `registry.adopt` with `database` and `artifacts`, and add `import` to the model"
            yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
        elif model.generates_text and model.imported is None and model.base is None:
            reason = "is a language model, but no version of it is ever registered"
            hint = "add `import` with the model's folder in a store and its digest, or `base` to train an adapter"
            yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)


def _adapter(system: System, model: Model) -> Iterator[Diagnostic]:
    """Report base models that can't be trained on, and adapters that are never trained or require explanations."""
    path, subject = ("models", model.name), f"model '{model.name}'"
    if model.base is None:
        return
    base = system.models.get(model.base.model)
    span = system.at(*path, "base")
    if not model.generates_text:
        reason, hint = "only language models are trained as adapters", "remove `base`"
        yield problems.not_for_text(system.key(*path, "base"), subject, "base", reason, hint)
    elif model.imported is not None:
        reason, hint = "is both imported and trained here as an adapter", "remove `import` or `base`"
        yield problems.language_model_unsupported(span, subject, reason, hint)
    elif base is not None and (base.imported is None or not base.generates_text):
        reason = f"is an adapter of '{base.name}', which is not an imported language model"
        hint = "set `base` to a language model with `import`"
        yield problems.language_model_unsupported(span, subject, reason, hint)
    elif model.name not in system.trained():
        hint = f"add a pipeline with `type: training` and `model: {model.name}`"
        yield problems.language_model_unsupported(span, subject, "is an adapter, but no pipeline trains it", hint)
    if model.generates_text and (model.explainability is not None or system.governance.explainability):
        reason = "is a language model, whose predictions cannot be explained"
        own = model.explainability is not None
        place = system.key(*path, "explainability") if own else system.at("governance", "explainability")
        hint = "remove `explainability`" if own else "set `explainability: optional`"
        yield problems.language_model_unsupported(place, subject, reason, hint)


def trainings(system: System) -> Iterator[Diagnostic]:
    """Report language model training that the built-in trainer doesn't support."""
    for pipeline in system.pipelines.values():
        if pipeline.type != "training" or pipeline.model is None:
            continue
        if system.models[pipeline.model.model].base is not None:
            yield from _training(system, pipeline)


def _training(system: System, pipeline: Pipeline) -> Iterator[Diagnostic]:
    path, subject = ("pipelines", pipeline.name), f"pipeline '{pipeline.name}'"
    steps = [step for step in pipeline.steps if step.trainer]
    if not steps:
        reason = "trains a language model with user code, but only the built-in trainer writes adapters"
        hint = "remove `source.entrypoint` from its last step"
        yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
    if pipeline.tuning is not None:
        reason = "tunes parameters, which is not supported for language models"
        hint = "set `parameters`, and remove `tuning`"
        yield problems.language_model_unsupported(system.key(*path, "tuning"), subject, reason, hint)
    registry = system.deployment.placement.registry
    if pipeline.target != registry and system.registry is not None and not system.registry.adopt:
        reason = f"trains an adapter on target '{pipeline.target}', but its base model is on target '{registry}'"
        hint = f"place it on target '{registry}'"
        yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
    for step in steps:
        prompts = dict.fromkeys(name for data in step.inputs for name in system.data[data].features)
        if len(prompts) > 1:
            reason = f"uses {' and '.join(prompts)} as features, but a text can have only one prompt"
            hint = "name one column under `features`, or none if the texts have no prompts"
            yield problems.language_model_unsupported(system.key(*step.path), subject, reason, hint)
        yield from _rank(system, step, subject, pipeline.model)
        if _accelerated(system, step.compute) and not step.source.image:
            reason = "trains an adapter on accelerators, but the runtime image has only MLX for CPUs"
            hint = "set `source.image`, as in docs/language-models.md, or use a compute class without accelerators"
            yield problems.language_model_unsupported(system.key(*step.path), subject, reason, hint)


def _rank(system: System, step: Step, subject: str, model: ModelRef | None) -> Iterator[Diagnostic]:
    """Report a rank that the adapter's endpoints on accelerators cannot load."""
    rank = dict(step.parameters).get("rank")
    if not isinstance(rank, int) or rank <= highest_rank():
        return
    for inference in system.inference.values():
        serves = model is not None and any(ref.model == model.model for ref in inference.models)
        if serves and any(_has_accelerators(system, variant) for variant in inference.variants):
            reason = (
                f"trains adapters of rank {rank}, but endpoint '{inference.name}' serves them on accelerators, "
                f"where vLLM loads at most rank {highest_rank()}"
            )
            hint = f"set `rank` to at most {highest_rank()}, or serve them on a compute class without accelerators"
            span = system.at(*step.path, "parameters", "rank")
            yield problems.language_model_unsupported(span, subject, reason, hint)
            return


def endpoints(system: System) -> Iterator[Diagnostic]:
    """Report endpoint fields that don't apply to the endpoint's models, and contradictory limits."""
    for inference in system.inference.values():
        texts = {system.models[variant.model.model].generates_text for variant in inference.variants}
        path, subject = ("inference", inference.name), f"endpoint '{inference.name}'"
        if len(texts) > 1:
            reason = "serves language models and other models, which need different request formats"
            hint = "use separate endpoints"
            yield problems.language_model_unsupported(system.key(*path, "variants"), subject, reason, hint)
        elif True in texts:
            yield from _fields(system, inference)
            yield from _adapters(system, inference)
        else:
            yield from _only_for_text(system, inference)


def _only_for_text(system: System, inference: Inference) -> Iterator[Diagnostic]:
    """Report fields that only a language model can have."""
    slo = inference.slo
    fields = {
        ("generation",): inference.generation is not None,
        ("adapters",): bool(inference.adapters),
        ("scaling", "metric"): inference.scaling.metric == _BY_TOKENS,
        ("slo", "timeToFirstToken"): slo is not None and bool(slo.first_token_ms),
        ("slo", "tokensPerSecond"): slo is not None and slo.tokens_per_second is not None,
    }
    for field, is_set in fields.items():
        if is_set:
            span, name = system.key("inference", inference.name, *field), ".".join(field)
            subject, reason = f"endpoint '{inference.name}'", "its model does not generate text"
            yield problems.not_for_text(span, subject, name, reason, f"remove `{name}`")


def _fields(system: System, inference: Inference) -> Iterator[Diagnostic]:
    path, subject = ("inference", inference.name), f"endpoint '{inference.name}'"
    for field, reason, hint in _FOREIGN_FIELDS:
        neutral = field == "batching" and inference.batching == Batching()  # as `modelyard render` writes it
        if field in system.written(*path) and not neutral:
            yield problems.not_for_text(system.key(*path, field), subject, field, reason, hint)
    if inference.source.entrypoint:
        reason = "no user code runs between requests and a language model"
        span = system.key(*path, "source", "entrypoint")
        yield problems.not_for_text(span, subject, "source.entrypoint", reason, "remove `source.entrypoint`")
    registry = system.deployment.placement.registry
    if inference.target != registry and system.registry is not None and not system.registry.adopt:
        reason = f"is on target '{inference.target}', which gets models from target '{registry}' as bundles"
        hint = f"place it on target '{registry}', because bundles cannot contain language models"
        yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
    yield from _on_accelerators(system, inference)
    limits = inference.generation
    if limits is not None and limits.context_length is not None and limits.max_tokens >= limits.context_length:
        field = "maxTokens" if "maxTokens" in system.written(*path, "generation") else "contextLength"
        span = system.at(*path, "generation", field)
        yield problems.tokens_beyond_context(span, inference.name, limits.max_tokens, limits.context_length)
    yield from _slow_texts(system, inference)
    yield from _scaling(system, inference)


def _scaling(system: System, inference: Inference) -> Iterator[Diagnostic]:
    """Require a target when scaling by tokens.

    Also report targets that are too low for a single text or far above what replicas can run at once.
    """
    path, target, limits = ("inference", inference.name, "scaling"), inference.scaling.target, inference.generation
    if limits is None:
        return
    if inference.scaling.metric == _BY_TOKENS:
        if "target" not in system.written(*path):
            yield problems.tokens_without_target(system.at(*path, "metric"), inference.name)
        elif inference.scales and target < limits.max_tokens:
            yield problems.target_below_a_text(
                system.at(*path, "target"), inference.name, target, limits.max_tokens, limits.concurrency
            )
    elif inference.scales and target > _WAITING * limits.concurrency:
        yield problems.texts_wait(system.at(*path, "target"), inference.name, target, limits.concurrency)


def _slow_texts(system: System, inference: Inference) -> Iterator[Diagnostic]:
    """Report a minimum token rate at which the longest text would exceed the request timeout."""
    limits, timeout_s = inference.generation, inference.endpoint.timeout_s
    rate = inference.slo.tokens_per_second if inference.slo is not None else None
    if limits is not None and rate is not None and limits.max_tokens > rate.minimum * timeout_s:
        span = system.at("inference", inference.name, "slo", "tokensPerSecond", "min")
        yield problems.slower_than_timeout(span, rate.minimum, limits.max_tokens, timeout_s)


def _adapters(system: System, inference: Inference) -> Iterator[Diagnostic]:
    """Require every variant to serve the adapter's base model, in the same version if either specifies one."""
    for adapter in inference.adapters:
        path = ("inference", inference.name, "adapters", adapter.name)
        subject = f"adapter '{adapter.name}' of endpoint '{inference.name}'"
        base = system.models[adapter.model.model].base
        span = system.at(*path)
        if adapter.name == system.original_name("inference", inference.name):
            reason = "has the name of the endpoint, which requests use for the endpoint's own model"
            hint = "choose another name"
            yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
        if base is None:
            reason = f"serves model '{adapter.model.model}', which is not an adapter"
            hint = f"name a model with `base`, or serve {adapter.model.model} as a variant"
            yield problems.language_model_unsupported(span, subject, reason, hint)
            continue
        for variant in inference.variants:
            fixed = base.alias.isdecimal() or variant.model.alias.isdecimal()
            if variant.model.model != base.model or (fixed and variant.model != base):
                reason = f"belongs to {_shown(base)}, but variant '{variant.name}' serves {_shown(variant.model)}"
                hint = f"set `model: {_shown(base)}` in the variant, or use an endpoint for each base"
                yield problems.language_model_unsupported(span, subject, reason, hint)


def _shown(ref: ModelRef) -> str:
    return f"{ref.model}@{ref.alias}"


def _on_accelerators(system: System, inference: Inference) -> Iterator[Diagnostic]:
    """Require variants on accelerators to have an image with vLLM and to pin the model version."""
    accelerated = [variant for variant in inference.variants if _has_accelerators(system, variant)]
    if accelerated and len(accelerated) < len(inference.variants):
        reason = "has variants with and without accelerators, which need different images"
        hint = "use compute classes with accelerators for all variants or for none, or use separate endpoints"
        span = system.key("inference", inference.name, "variants")
        yield problems.language_model_unsupported(span, f"endpoint '{inference.name}'", reason, hint)
    for variant in accelerated:
        subject = f"variant '{variant.name}' of endpoint '{inference.name}'"
        path = ("inference", inference.name, "variants", variant.name)
        if not inference.source.image:
            reason = "runs on accelerators, but no image with vLLM is specified"
            hint = "set `source.image`, as in docs/language-models.md, or use a compute class without accelerators"
            yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)
        if not variant.model.alias.isdecimal():
            reason = "follows an alias, but two versions do not fit into the memory of its accelerators at once"
            hint = (
                f"name a version, as in {variant.model.model}@1, or use a compute class without accelerators, "
                "where the endpoint can follow the alias"
            )
            yield problems.language_model_unsupported(system.at(*path, "model"), subject, reason, hint)


def _has_accelerators(system: System, variant: Variant) -> bool:
    return _accelerated(system, variant.compute)


def _accelerated(system: System, name: str) -> bool:
    compute = system.compute.get(name)
    return compute is not None and bool(compute.accelerators or compute.accelerator_memory_bytes)


def pipelines(system: System) -> Iterator[Diagnostic]:
    """Report pipelines that score with a language model."""
    for scoring in scorings(system):
        if system.models[scoring.model.model].generates_text:
            path = ("pipelines", scoring.pipeline.name)
            reason = "scores rows, but its model generates text"
            subject, hint = f"pipeline '{scoring.pipeline.name}'", "send requests to an endpoint of the model instead"
            yield problems.language_model_unsupported(system.key(*path), subject, reason, hint)


def monitors(system: System) -> Iterator[Diagnostic]:
    """Report monitors that read rows of a language model, which doesn't have any."""
    for monitor in system.monitors.values():
        if monitor_type(monitor.type).reads != "rows":
            continue
        if any(system.models[ref.model].generates_text for ref in watched_models(system, monitor)):
            reason = f"watches a language model, but monitors of type {monitor.type} read rows"
            span = system.at("monitors", monitor.name, "type")
            hint = "use `type: performance`"
            yield problems.language_model_unsupported(span, f"monitor '{monitor.name}'", reason, hint)


RULES: Final[tuple[Rule, ...]] = (models, trainings, endpoints, pipelines, monitors)
