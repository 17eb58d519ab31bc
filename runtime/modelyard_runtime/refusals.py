"""The exception for workloads that cannot do what their description requires."""


class Refusal(Exception):
    """The description cannot be followed here. The message explains the problem to the workload's owner."""
