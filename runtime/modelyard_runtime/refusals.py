"""Why a workload does not do what its description asks."""


class Refusal(Exception):
    """What the description asks cannot be honoured here; the message says what and why, in words for its owner."""
