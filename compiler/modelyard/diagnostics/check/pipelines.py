"""Diagnostics about data, models and pipelines: E0430 to E0434, E0438 to E0443, E0489, W0447 and W0490."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, nearest, quote
from modelyard.source import Span


def column_unknown(span: Span, column: str, data: Sequence[str], known: Iterable[str]) -> Diagnostic:
    """A column is not in the dataset's schema.

    Wrong:

        data: {transactions: {schema: {amount: number}, features: [amuont], …}}

    Right:

        data: {transactions: {schema: {amount: number}, features: [amount], …}}
    """
    schema, problem = "the schema", f"dataset {quote(data[0])} has no column {quote(column)} in its schema"
    if len(data) > 1:
        names = f"{', '.join(map(quote, data[:-1]))} and {quote(data[-1])}"
        schema, problem = "one of the schemas", f"datasets {names} have no column {quote(column)} in their schemas"
    hint = nearest(column, known, "did you mean {}?") or f"add the column to {schema}"
    return Diagnostic("E0430", Severity.ERROR, problem, span, hint)


def label_among_features(span: Span, column: str) -> Diagnostic:
    """A model that has its label as a feature learns nothing else, and is useless when the label is not known yet.

    Wrong:

        data: {transactions: {features: [amount, is_fraud], label: is_fraud, …}}

    Right:

        data: {transactions: {features: [amount], label: is_fraud, …}}
    """
    return Diagnostic(
        "E0431",
        Severity.ERROR,
        f"label {quote(column)} is also listed as a feature",
        span,
        "remove it from `features`",
    )


def label_missing(span: Span, pipeline: str, trainer: str, inputs: int) -> Diagnostic:
    """A built-in trainer learns to predict a label, so one of its inputs must name the label column.

    Wrong:

        data: {transactions: {store: lake, path: transactions/, format: parquet}}
        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}

    Right:

        data: {transactions: {store: lake, path: transactions/, format: parquet, label: is_fraud}}
    """
    reason = "none of the pipeline's inputs has a label" if inputs else "the pipeline has no inputs"
    return Diagnostic(
        "E0432",
        Severity.ERROR,
        f"the {trainer} trainer in pipeline {quote(pipeline)} has no label to predict: {reason}",
        span,
        "add `label: COLUMN` to a dataset" if inputs else "add `inputs: [DATASET]`",
    )


def timestamp_missing(span: Span, pipeline: str) -> Diagnostic:
    """Splitting data by time needs a timestamp column that dates each row.

    Wrong:

        data: {transactions: {store: lake, path: transactions/, format: parquet, label: is_fraud}}
        pipelines: {retrain: {inputs: [transactions], split: {by: time}, …}}

    Right:

        data: {transactions: {…, label: is_fraud, timestamp: event_time}}
    """
    return Diagnostic(
        "E0433",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} splits its data by time, but none of its inputs has a timestamp",
        span,
        "add `timestamp: COLUMN` to a dataset, or use `split: {by: random}`",
    )


def output_is_input(span: Span, data: str) -> Diagnostic:
    """A step that reads and writes the same dataset changes its own input, so its runs cannot be reproduced.

    Wrong:

        pipelines: {nightly: {type: batch-inference, inputs: [transactions], output: transactions, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, inputs: [transactions], output: scores, …}}
    """
    return Diagnostic(
        "E0434",
        Severity.ERROR,
        f"dataset {quote(data)} is both input and output",
        span,
        "write to another dataset",
    )


def bounds_reversed(span: Span, low: float, high: float) -> Diagnostic:
    """A lower bound is above its upper bound.

    Wrong:

        workers: {min: 8, max: 2}

    Right:

        workers: {min: 2, max: 8}
    """
    return Diagnostic("E0438", Severity.ERROR, f"lower bound {low:g} is above upper bound {high:g}", span, "swap them")


def steps_in_a_circle(span: Span, cycle: Sequence[str]) -> Diagnostic:
    """Steps wait for each other in a cycle, so none of them can ever start.

    Wrong:

        steps: {prepare: {needs: [fit], …}, fit: {needs: [prepare], …}}

    Right:

        steps: {prepare: {…}, fit: {needs: [prepare], …}}
    """
    names = [*cycle[:8], "…"] if len(cycle) > 9 else list(cycle)
    return Diagnostic(
        "E0439",
        Severity.ERROR,
        f"steps wait for each other in a cycle: {' → '.join([*names, cycle[0]])}",
        span,
        "remove one of these steps from `needs`",
    )


def step_outlives_pipeline(span: Span, step: str, pipeline: str) -> Diagnostic:
    """A step's timeout is longer than its pipeline's, so it never applies.

    Wrong:

        pipelines: {retrain: {timeout: 1h, steps: {fit: {timeout: 6h}}, …}}

    Right:

        pipelines: {retrain: {timeout: 8h, steps: {fit: {timeout: 6h}}, …}}
    """
    return Diagnostic(
        "E0440",
        Severity.ERROR,
        f"step {quote(step)} has a longer timeout than its pipeline, {quote(pipeline)}",
        span,
        "raise the pipeline's timeout or lower the step's",
    )


def several_trainers(span: Span, pipeline: str, steps: Sequence[str]) -> Diagnostic:
    """A training pipeline produces one model, so at most one of its steps may use a built-in trainer.

    A step without an entrypoint uses the built-in trainer of the model's framework.

    Wrong:

        steps: {prepare: {}, fit: {needs: [prepare]}}

    Right:

        steps: {prepare: {source: {entrypoint: "fraud.prepare:main"}}, fit: {needs: [prepare]}}
    """
    names = [*steps[:5], "…"] if len(steps) > 6 else steps
    often = "twice" if len(steps) == 2 else f"{len(steps)} times"
    return Diagnostic(
        "E0441",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} would train its model {often}, in steps {joined(names)}",
        span,
        "set `source.entrypoint` in all but one of these steps",
    )


def trainer_of_other_framework(span: Span, trainer: str, framework: str) -> Diagnostic:
    """The trainer produces models of a different framework from the one the spec declares.

    Wrong:

        models: {fraud: {framework: xgboost, …}}
        pipelines: {retrain: {type: training, model: fraud, trainer: lightgbm, …}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, trainer: xgboost, …}}
    """
    return Diagnostic(
        "E0442",
        Severity.ERROR,
        f"the {trainer} trainer does not produce {framework} models",
        span,
        f"use `trainer: {framework}`, or change the model's framework",
    )


def more_parallel_than_trials(span: Span, parallel: int, trials: int) -> Diagnostic:
    """The search may run more trials in parallel than it has in total.

    Wrong:

        trials: {max: 4, parallel: 8}

    Right:

        trials: {max: 40, parallel: 8}
    """
    return Diagnostic(
        "E0443",
        Severity.ERROR,
        f"{parallel} trials cannot run in parallel, because there are only {trials} in total",
        span,
        "lower `parallel`, or raise `max`",
    )


def fewer_workers_than_trials(span: Span, parallel: int, workers: int) -> Diagnostic:
    """Each trial of a search runs on its own worker, so no more trials run in parallel than there are workers.

    Wrong:

        workers: 2
        tuning: {trials: {max: 40, parallel: 8}, …}

    Right:

        workers: {min: 1, max: 8}
        tuning: {trials: {max: 40, parallel: 8}, …}
    """
    return Diagnostic(
        "W0490",
        Severity.WARNING,
        f"{parallel} trials cannot run in parallel, because each needs its own worker, and the maximum is {workers}",
        span,
        "raise `workers`, or lower `parallel`",
    )


def never_trained(span: Span, model: str) -> Diagnostic:
    """A model is served or scores data, but nothing in the spec produces it, and no registry is adopted.

    Import a model that someone else trains, or adopt the registry that has it.

    Wrong:

        models: {fraud: {task: binary-classification, framework: xgboost}}
        inference: {scorer: {variants: {champion: {model: fraud@champion}}, compute: cpu}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}

    or, if another team trains it:

        models: {fraud: {import: {uri: "models:/shared-fraud/7", digest: …}, …}}
    """
    return Diagnostic(
        "W0447",
        Severity.WARNING,
        f"model {quote(model)} is used, but no pipeline trains it",
        span,
        "add a training pipeline or an `import`, or adopt the registry that has its versions",
    )


def alias_of_the_registry(span: Span, alias: str, stage: bool = False) -> Diagnostic:
    """MLflow reserves the aliases `latest` and `v` followed by a number.

    Wrong:

        variants: {live: {model: fraud-xgb@latest}}

    Right:

        variants: {live: {model: fraud-xgb@champion}}
    """
    number = alias[1:] if alias[:1] == "v" else ""
    hint = f"use @{number} for that version" if number else "use champion, which training pipelines move by default"
    if stage:
        hint = "rename the stage, for example to challenger or champion"
    return Diagnostic("E0489", Severity.ERROR, f"MLflow reserves the alias {quote(alias)}", span, hint)
