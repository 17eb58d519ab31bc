"""An alias to promote to, and the versions that may be promoted to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelyard_runtime.workload.records import PipelineWorkload, PromoterWorkload, Promotion, Workload


@dataclass(frozen=True, slots=True)
class Subject:
    """An alias and the requirements for moving it.

    Versions from the training or import at the address `made_by` may be promoted. A stage at the address `stage`
    accepts versions from the previous stage. A training pipeline that is `alone` promotes its own versions, whatever
    their tags say.
    """

    workload: Workload
    promotion: Promotion
    made_by: str
    stage: str = ""
    alone: bool = False

    @classmethod
    def of_training(cls, workload: PipelineWorkload) -> Subject:
        """Return the promotion of a training run's own versions."""
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
        """Yield the promotions handled by a promoter. Imports come last, since large sources take a long time."""
        for name, promotion in workload.promotions.items():
            yield cls(workload, promotion, f"pipelines.{name}")
        for name, promotion in workload.stages.items():
            yield cls(workload, promotion, workload.address, stage=f"models.{name}")
        for name, promotion in workload.imports.items():
            yield cls(workload, promotion, f"models.{name}")

    @property
    def address(self) -> str:
        """Return the address at which the spec declares this promotion."""
        return self.stage or self.made_by


def promotes_itself(workload: PipelineWorkload) -> bool:
    """Return whether a training run moves the alias itself.

    If the system runs its own registry, only the promoter does.
    """
    return not workload.pipeline.promoted_by
