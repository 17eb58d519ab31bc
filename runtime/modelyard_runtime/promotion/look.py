"""The subject of one promotion: an alias, and which versions may get it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelyard_runtime.workload.records import PipelineWorkload, PromoterWorkload, Promotion, Workload


@dataclass(frozen=True, slots=True)
class Subject:
    """An alias and the requirements for moving it.

    `made_by` is the address of the training or import whose versions may get it; a stage, whose address is `stage`,
    accepts those of the previous stage. A training pipeline that is `alone` promotes its own versions, whatever their
    tags say.
    """

    workload: Workload
    promotion: Promotion
    made_by: str
    stage: str = ""
    alone: bool = False

    @classmethod
    def of_training(cls, workload: PipelineWorkload) -> Subject:
        """The promotion of a training run's own versions."""
        pipeline = workload.pipeline
        promotion = Promotion(
            model=pipeline.trained_model,
            promote_to=pipeline.promote_to,
            validation=pipeline.validation,
            approvals=pipeline.approvals,
            checks=pipeline.checks,
        )
        return cls(workload, promotion, workload.address, alone=promotes_itself(workload))

    @classmethod
    def all_of(cls, workload: PromoterWorkload) -> Iterator[Subject]:
        """The promotions of a promoter. Imports come last: they take as long as their source is large."""
        for name, promotion in workload.promotions.items():
            yield cls(workload, promotion, f"pipelines.{name}")
        for name, promotion in workload.stages.items():
            yield cls(workload, promotion, workload.address, stage=f"models.{name}")
        for name, promotion in workload.imports.items():
            yield cls(workload, promotion, f"models.{name}")

    @property
    def address(self) -> str:
        """The address at which the spec declares it."""
        return self.stage or self.made_by


def promotes_itself(workload: PipelineWorkload) -> bool:
    """Whether a training run moves the alias itself; if the registry runs here, only the promoter may."""
    return not workload.pipeline.promoted_by
