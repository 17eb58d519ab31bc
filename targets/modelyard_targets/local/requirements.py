"""The packages a system needs on this machine, pinned to the versions in the runtime image."""

from __future__ import annotations

from modelyard.spec import System
from modelyard_targets.kube.image.runtime_image import requirements_table


def requirements_of(system: System) -> tuple[str, ...]:
    """Return the direct requirements of the workloads, the registry and the frameworks in use."""
    table = requirements_table()
    frameworks = {model.framework for model in system.models.values()}
    frameworks |= {step.trainer for pipeline in system.pipelines.values() for step in pipeline.steps}
    lines = [table["beside"], *table["always"], *table["registry"]]
    for framework, extra in table["frameworks"].items():
        if framework in frameworks:
            lines += extra
    has_mlflow = any(line.startswith("mlflow==") for line in lines)
    return tuple(sorted({line for line in lines if not (has_mlflow and line.startswith("mlflow-skinny"))}))
