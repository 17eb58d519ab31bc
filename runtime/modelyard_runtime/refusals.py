"""Refusals: why a workload does not do what its description requires."""


class Refusal(Exception):
    """The description cannot be honoured here; the message explains the problem to the workload's owner."""
