"""The exception for workloads that can't do what their description requires."""


class Refusal(Exception):
    """A workload can't do what its description requires. The message explains the problem to the workload's owner."""
