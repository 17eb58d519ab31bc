"""What a worker of several has of the data, and where it goes on when the workers are started anew."""

from __future__ import annotations

from typing import Any

_TIMES_KEPT = 20


def own_rows(blocks: list[Any]) -> list[Any]:
    """This worker's part of the rows: every worker has some, and every row is somebody's."""
    import numpy as np
    import ray
    import ray.train

    context = ray.train.get_context()
    at, of = context.get_world_rank(), context.get_world_size()
    own = ray.get(blocks[len(blocks) * at // of : len(blocks) * (at + 1) // of])
    return [None if part[0] is None else np.concatenate(part) for part in zip(*own, strict=True)]


def begun(keeper: Any) -> tuple[int, bytes | None, bool]:
    """How many rounds were grown before the workers were started anew, the same for all; and whether this is the first
    worker.
    """
    import ray
    import ray.train
    from ray.train.collective import broadcast_from_rank_zero

    first = ray.train.get_context().get_world_rank() == 0
    told: Any = broadcast_from_rank_zero(ray.get(keeper.rounds.remote()) if first else None)
    done = int(told or 0)
    return done, ray.get(keeper.kept.remote(done)) if done else None, first


def is_time(rounds: int, of: int) -> bool:
    """Whether what was grown so far is to be kept: about twenty times in all, and not at the end."""
    return rounds % max(of // _TIMES_KEPT, 1) == 0 and rounds < of
