"""Generates mostly plausible specs with any combination of tasks, frameworks, metrics, data and splits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from modelyard.capabilities import check_of, metric_of, metrics_of, monitor_type, table, trainers

_T = TypeVar("_T")
_HEAD: Final[Mapping[str, Any]] = {
    "apiVersion": "modelyard.dev/v1alpha1",
    "kind": "MLSystem",
    "metadata": {"name": "made"},
    "governance": {"owner": {"team": "ml", "email": "ml@acme.example"}},
    "deployment": {"mode": "on-prem", "provider": "kubernetes", "context": "made"},
    "stores": {
        "lake": {
            "type": "object",
            "adopt": "lake",
            "endpoint": "http://minio.minio.svc:9000",
            "credentials": "secret://kubernetes/lake",
        }
    },
    "registry": {"adopt": "http://mlflow.mlflow.svc:5000"},
    "compute": {"cpu": {"cpu": 2, "memory": "8Gi"}},
}
_DATA = ("events", "truths", "holdout", "scores")
_TASKS = sorted({task for entry in table()["metrics"].values() for task in entry["tasks"]})
_OTHERS = {"parity", "psi", "page_hinkley", "recall_at_3", "recall_at_1001", "pinball_90", "ndcg_at_5", "lift_at_1"}
_METRICS = sorted({name for task in _TASKS for name in metrics_of(task)} | _OTHERS)
_CHECKS = sorted({*table()["checks"], *_METRICS})
_OWN = {"entrypoint": "shop.train:main"}


class _Spec:
    """A spec being generated. A `likely` value is drawn 29 times out of 30 so that many specs are valid."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.task = self.choice(_TASKS)
        self.sections: dict[str, Any] = {}

    def choice(self, values: Sequence[_T]) -> _T:
        return self._draw(st.sampled_from(list(values)))

    def likely(self) -> bool:
        return self.choice(range(30)) > 0

    def maybe(self) -> bool:
        return self.choice((True, False))

    def build(self) -> dict[str, Any]:
        self.sections["data"] = {name: self._dataset(name) for name in _DATA}
        self.sections["models"] = {"m": self._model()}
        self.sections["pipelines"] = {"train": self._training()}
        if self.maybe():
            self.sections["pipelines"]["again"] = self._training()
        self.sections["pipelines"]["score"] = self._scoring()
        self.sections["pipelines"]["report"] = self._report()
        self.sections["inference"] = {"answers": self._endpoint()}
        self.sections["monitors"] = {f"w{at}": self._monitor() for at in range(self.choice((1, 2, 3)))}
        return {**_HEAD, **self.sections}

    def _dataset(self, name: str) -> dict[str, Any]:
        kind = (
            self.choice(("parquet", "csv")) if name == "scores" and self.likely() else self.choice(("parquet", "json"))
        )
        dataset: dict[str, Any] = {"store": "lake", "path": f"{name}/", "format": kind}
        ranked = self.task in {"ranking", "recommendation"}
        if (name == "events") == self.likely():
            dataset["features"] = self.choice((["a"], ["a", "b"]))
        if (name != "scores") == self.likely():
            dataset["label"] = "y"
        if self.likely():
            dataset["timestamp"] = "t"
        if ranked == self.likely():
            dataset["group"] = "g"
        if self.choice((True, False, False)):
            dataset["schema"] = {"a": "number", "b": "string", "t": "timestamp", "y": "integer", "g": "string"}
        return dataset  # fmt: skip

    def _model(self) -> dict[str, Any]:
        able = [name for name, trainer in trainers().items() if self.task in trainer.tasks]
        chosen = self.choice(able) if able and self.likely() else self.choice((*trainers(), "custom"))
        model: dict[str, Any] = {"task": self.task, "framework": chosen}
        model["validation"] = {f"g{at}": self._gate() for at in range(self.choice((0, 1, 2)))}
        if self.maybe():
            model["explainability"] = {"method": self.choice(("shap", "permutation"))}
        if self.choice(range(4)) == 0:
            model["stages"] = self._stages(list(model["validation"]))
        return {key: value for key, value in model.items() if value}

    def _stages(self, lines: list[str]) -> dict[str, Any]:
        last: dict[str, Any] = {"after": "challenger", "approvals": "none"}
        if self.maybe():
            last["soak"] = {"for": "7d", "monitor": "w0", "minRows": 50} if self.likely() else {"for": "1h"}
        return {"challenger": {"checks": lines[:1]} if self.maybe() else {}, "champion": last}

    def _gate(self) -> dict[str, Any]:
        name = self.choice(metrics_of(self.task)) if self.likely() else self.choice(_METRICS)
        gate: dict[str, Any] = {"metric": "parity" if self.choice(range(9)) == 0 else name}
        if self.maybe():
            gate["versus"] = "champion"
        else:
            gate |= self._bound(gate["metric"])
        if self.maybe():
            gate["data"] = "holdout" if self.likely() else self.choice(_DATA)
        return gate  # fmt: skip

    def _bound(self, name: str) -> dict[str, Any]:
        metric = metric_of(name) or check_of(name)
        return {"max" if metric is None or metric.better == "smaller" else "min": 0.5}

    def _training(self) -> dict[str, Any]:
        framework = self.sections["models"]["m"]["framework"]
        pipeline: dict[str, Any] = {"type": "training", "model": "m", "compute": "cpu"}
        pipeline["inputs"] = (
            ["events"] if self.likely() else self.choice((["events", "truths"], ["truths"], ["holdout"], []))
        )
        knows = framework in trainers() and self.task in trainers()[framework].tasks
        shape = self.choice(("plain", "steps")) if knows == self.likely() else "own"
        own = {"source": _OWN}
        if shape == "own":
            pipeline |= own
        elif shape == "steps":
            trains = {"needs": ["prepare"], **({} if self.maybe() or not knows else {"trainer": framework})}
            pipeline["steps"] = {"prepare": own, "fit": {**trains, **({} if "trainer" in trains else own)}}
            if self.maybe():
                pipeline["steps"]["tell"] = {"needs": ["fit"], **own}
        if self.likely() if self.task == "forecasting" else self.maybe():
            pipeline["split"] = {"by": "time"}
        elif self.maybe():
            pipeline["split"] = {"fraction": "30%", "seed": 3}
        if framework not in {"scikit-learn"} or not self.likely():
            pipeline["workers"] = self.choice((1, 3, {"min": 1, "max": 2}))
        if self.maybe():
            pipeline["tuning"] = self._tuning(framework)
        if pipeline["model"] and self.sections.get("pipelines"):
            pipeline["promoteTo"] = "challenger"
        return pipeline  # fmt: skip

    def _tuning(self, framework: str) -> dict[str, Any]:
        name = self.choice(metrics_of(self.task)) if self.likely() else self.choice(("parity", *_METRICS))
        metric = metric_of(name)
        goal = "minimize" if metric is not None and metric.better == "smaller" else "maximize"
        rate = {"pytorch": "epochs", "custom": "x", "scikit-learn": "max_iter"}.get(framework, "n_estimators")
        return {
            "objective": {"metric": name, "goal": goal},
            "trials": {"max": 4},
            "space": {rate: {"int": [2, 9]}},
        }

    def _scoring(self) -> dict[str, Any]:
        pipeline: dict[str, Any] = {
            "type": "batch-inference",
            "model": "m@champion",
            "compute": "cpu",
            "output": "scores",
        }
        pipeline["inputs"] = ["events"] if self.likely() else self.choice((["holdout"], ["events", "holdout"], []))
        return pipeline

    def _report(self) -> dict[str, Any]:
        pipeline: dict[str, Any] = {"type": "custom", "compute": "cpu", "source": _OWN}
        if self.likely():
            pipeline["inputs"] = self.choice((["scores"], ["events"]))
        if not self.likely():
            del pipeline["source"]
            pipeline["steps"] = {"fit": {"trainer": self.choice(list(trainers()))}}
        return pipeline

    def _endpoint(self) -> dict[str, Any]:
        endpoint: dict[str, Any] = {"variants": {"live": {"model": "m@champion"}}, "compute": "cpu"}
        if self.likely():
            endpoint["capture"] = {"sample": "50%", "store": "lake", "retain": "90d"}
        if self.maybe():
            endpoint["source"] = {"entrypoint": "shop.serve:main"}
        if self.maybe():
            endpoint["endpoint"] = {"auth": {"type": "bearer-token", "token": "secret://kubernetes/answers#token"}}
        return endpoint

    def _monitor(self) -> dict[str, Any]:
        type_ = self.choice(list(table()["monitors"]))
        kind = monitor_type(type_)
        watched = (
            "inference.answers",
            "pipelines.score",
            "pipelines.train",
            "pipelines.report",
            "data.events",
            "data.scores",
        )
        monitor: dict[str, Any] = {"type": type_, "watch": self.choice(watched), "window": self.choice(("1d", "7d"))}
        if self.likely():
            fitting = {
                "pipelines.batch-inference": "pipelines.score",
                "inference": "inference.answers",
                "data": "data.events",
            }
            monitor["watch"] = self.choice([fitting.get(watch, self.choice(watched[1:4])) for watch in kind.watches])
        if "labels" in kind.needs and self.likely():
            monitor["labels"] = self.choice(("events", "truths"))
        compares = "reference" in kind.needs or any(_needs(name) == "reference" for name in kind.checks)
        if compares and (self.likely() if "reference" in kind.needs else self.maybe()):
            monitor["reference"] = self.choice(
                ({}, {"data": "events"}, {"data": "events", "window": "30d"}, {"data": "holdout"})
            )
        monitor["checks"] = dict(self._check(type_, monitor["watch"]) for _ in range(self.choice((1, 2))))
        return monitor  # fmt: skip

    def _check(self, type_: str, watched: str) -> tuple[str, dict[str, Any]]:
        kind = monitor_type(type_)
        own = kind.of_runs if kind.of_runs and watched.startswith("pipelines.") else kind.checks
        fitting = [*own, *(metrics_of(self.task) if kind.metrics else ())]
        name = self.choice(fitting) if self.likely() else self.choice(_CHECKS)
        check = self._bound(name)
        if kind.features == self.likely() and self.maybe():
            check["features"] = ["a"]
        return name, check


def _needs(name: str) -> str:
    check = check_of(name)
    return "" if check is None else check.needs


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Generate a spec that fits the schema, but whose content may make no sense."""
    return json.dumps(_Spec(draw).build())
