"""Generates specs with any combination of tasks, frameworks, metrics, data and splits. Most are plausible."""

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
_TASKS = sorted({task for one in table()["metrics"].values() for task in one["tasks"]})
_OTHERS = {"parity", "psi", "page_hinkley", "recall_at_3", "recall_at_1001", "pinball_90", "ndcg_at_5", "lift_at_1"}
_METRICS = sorted({name for task in _TASKS for name in metrics_of(task)} | _OTHERS)
_CHECKS = sorted({*table()["checks"], *_METRICS})
_OWN = {"entrypoint": "shop.train:main"}


class _Spec:
    """A spec that is being generated. A `likely` value is drawn 29 out of 30 times, so that many specs are valid."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.task = self.one_of(_TASKS)
        self.sections: dict[str, Any] = {}

    def one_of(self, values: Sequence[_T]) -> _T:
        return self._draw(st.sampled_from(list(values)))

    def likely(self) -> bool:
        return self.one_of(range(30)) > 0

    def maybe(self) -> bool:
        return self.one_of((True, False))

    def made(self) -> dict[str, Any]:
        self.sections["data"] = {name: self._dataset(name) for name in _DATA}
        self.sections["models"] = {"m": self._model()}
        self.sections["pipelines"] = {"train": self._training()}
        if self.maybe():
            self.sections["pipelines"]["again"] = self._training()
        self.sections["pipelines"]["score"] = self._scoring()
        self.sections["pipelines"]["report"] = self._report()
        self.sections["inference"] = {"answers": self._endpoint()}
        self.sections["monitors"] = {f"w{at}": self._monitor() for at in range(self.one_of((1, 2, 3)))}
        return {**_HEAD, **self.sections}

    def _dataset(self, name: str) -> dict[str, Any]:
        kind = (
            self.one_of(("parquet", "csv")) if name == "scores" and self.likely() else self.one_of(("parquet", "json"))
        )
        made: dict[str, Any] = {"store": "lake", "path": f"{name}/", "format": kind}
        ranked = self.task in {"ranking", "recommendation"}
        if (name == "events") == self.likely():
            made["features"] = self.one_of((["a"], ["a", "b"]))
        if (name != "scores") == self.likely():
            made["label"] = "y"
        if self.likely():
            made["timestamp"] = "t"
        if ranked == self.likely():
            made["group"] = "g"
        if self.one_of((True, False, False)):
            made["schema"] = {"a": "number", "b": "string", "t": "timestamp", "y": "integer", "g": "string"}
        return made  # fmt: skip

    def _model(self) -> dict[str, Any]:
        able = [name for name, one in trainers().items() if self.task in one.tasks]
        chosen = self.one_of(able) if able and self.likely() else self.one_of((*trainers(), "custom"))
        made: dict[str, Any] = {"task": self.task, "framework": chosen}
        made["validation"] = {f"g{at}": self._gate() for at in range(self.one_of((0, 1, 2)))}
        if self.maybe():
            made["explainability"] = {"method": self.one_of(("shap", "permutation"))}
        if self.one_of(range(4)) == 0:
            made["stages"] = self._stages(list(made["validation"]))
        return {key: value for key, value in made.items() if value}

    def _stages(self, lines: list[str]) -> dict[str, Any]:
        last: dict[str, Any] = {"after": "challenger", "approvals": "none"}
        if self.maybe():
            last["soak"] = {"for": "7d", "monitor": "w0", "minRows": 50} if self.likely() else {"for": "1h"}
        return {"challenger": {"checks": lines[:1]} if self.maybe() else {}, "champion": last}

    def _gate(self) -> dict[str, Any]:
        name = self.one_of(metrics_of(self.task)) if self.likely() else self.one_of(_METRICS)
        made: dict[str, Any] = {"metric": "parity" if self.one_of(range(9)) == 0 else name}
        if self.maybe():
            made["versus"] = "champion"
        else:
            made |= self._bound(made["metric"])
        if self.maybe():
            made["data"] = "holdout" if self.likely() else self.one_of(_DATA)
        return made  # fmt: skip

    def _bound(self, name: str) -> dict[str, Any]:
        found = metric_of(name) or check_of(name)
        return {"max" if found is None or found.better == "smaller" else "min": 0.5}

    def _training(self) -> dict[str, Any]:
        framework = self.sections["models"]["m"]["framework"]
        made: dict[str, Any] = {"type": "training", "model": "m", "compute": "cpu"}
        made["inputs"] = (
            ["events"] if self.likely() else self.one_of((["events", "truths"], ["truths"], ["holdout"], []))
        )
        knows = framework in trainers() and self.task in trainers()[framework].tasks
        shape = self.one_of(("plain", "steps")) if knows == self.likely() else "own"
        own = {"source": _OWN}
        if shape == "own":
            made |= own
        elif shape == "steps":
            trains = {"needs": ["prepare"], **({} if self.maybe() or not knows else {"trainer": framework})}
            made["steps"] = {"prepare": own, "fit": {**trains, **({} if "trainer" in trains else own)}}
            if self.maybe():
                made["steps"]["tell"] = {"needs": ["fit"], **own}
        if self.likely() if self.task == "forecasting" else self.maybe():
            made["split"] = {"by": "time"}
        elif self.maybe():
            made["split"] = {"fraction": "30%", "seed": 3}
        if framework not in {"scikit-learn"} or not self.likely():
            made["workers"] = self.one_of((1, 3, {"min": 1, "max": 2}))
        if self.maybe():
            made["tuning"] = self._tuning(framework)
        if made["model"] and self.sections.get("pipelines"):
            made["promoteTo"] = "challenger"
        return made  # fmt: skip

    def _tuning(self, framework: str) -> dict[str, Any]:
        name = self.one_of(metrics_of(self.task)) if self.likely() else self.one_of(("parity", *_METRICS))
        found = metric_of(name)
        goal = "minimize" if found is not None and found.better == "smaller" else "maximize"
        rate = {"pytorch": "epochs", "custom": "x", "scikit-learn": "max_iter"}.get(framework, "n_estimators")
        return {
            "objective": {"metric": name, "goal": goal},
            "trials": {"max": 4},
            "space": {rate: {"int": [2, 9]}},
        }

    def _scoring(self) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "batch-inference", "model": "m@champion", "compute": "cpu", "output": "scores"}
        made["inputs"] = ["events"] if self.likely() else self.one_of((["holdout"], ["events", "holdout"], []))
        return made

    def _report(self) -> dict[str, Any]:
        made: dict[str, Any] = {"type": "custom", "compute": "cpu", "source": _OWN}
        if self.likely():
            made["inputs"] = self.one_of((["scores"], ["events"]))
        if not self.likely():
            del made["source"]
            made["steps"] = {"fit": {"trainer": self.one_of(list(trainers()))}}
        return made

    def _endpoint(self) -> dict[str, Any]:
        made: dict[str, Any] = {"variants": {"live": {"model": "m@champion"}}, "compute": "cpu"}
        if self.likely():
            made["capture"] = {"sample": "50%", "store": "lake", "retain": "90d"}
        if self.maybe():
            made["source"] = {"entrypoint": "shop.serve:main"}
        if self.maybe():
            made["endpoint"] = {"auth": {"type": "bearer-token", "token": "secret://kubernetes/answers#token"}}
        return made

    def _monitor(self) -> dict[str, Any]:
        type_ = self.one_of(list(table()["monitors"]))
        kind = monitor_type(type_)
        watched = (
            "inference.answers",
            "pipelines.score",
            "pipelines.train",
            "pipelines.report",
            "data.events",
            "data.scores",
        )
        made: dict[str, Any] = {"type": type_, "watch": self.one_of(watched), "window": self.one_of(("1d", "7d"))}
        if self.likely():
            fitting = {
                "pipelines.batch-inference": "pipelines.score",
                "inference": "inference.answers",
                "data": "data.events",
            }
            made["watch"] = self.one_of([fitting.get(one, self.one_of(watched[1:4])) for one in kind.watches])
        if "labels" in kind.needs and self.likely():
            made["labels"] = self.one_of(("events", "truths"))
        compares = "reference" in kind.needs or any(_needs(name) == "reference" for name in kind.checks)
        if compares and (self.likely() if "reference" in kind.needs else self.maybe()):
            made["reference"] = self.one_of(
                ({}, {"data": "events"}, {"data": "events", "window": "30d"}, {"data": "holdout"})
            )
        made["checks"] = dict(self._check(type_, made["watch"]) for _ in range(self.one_of((1, 2))))
        return made  # fmt: skip

    def _check(self, type_: str, watched: str) -> tuple[str, dict[str, Any]]:
        kind = monitor_type(type_)
        own = kind.of_runs if kind.of_runs and watched.startswith("pipelines.") else kind.checks
        fitting = [*own, *(metrics_of(self.task) if kind.metrics else ())]
        name = self.one_of(fitting) if self.likely() else self.one_of(_CHECKS)
        made = self._bound(name)
        if kind.features == self.likely() and self.maybe():
            made["features"] = ["a"]
        return name, made


def _needs(name: str) -> str:
    found = check_of(name)
    return "" if found is None else found.needs


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Generate a spec that fits the schema but may make no sense."""
    return json.dumps(_Spec(draw).made())
