"""Refusals: why a workload does not do what its description requires."""


class Refusal(Exception):
    """The description cannot be honoured here; the message tells the workload's owner what is wrong and why."""
