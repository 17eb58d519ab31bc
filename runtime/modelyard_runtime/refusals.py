"""The exception for workloads that cannot do what their description requires."""


class Refusal(Exception):
    """A workload cannot do what its description requires. The message explains the problem to the workload's owner."""
