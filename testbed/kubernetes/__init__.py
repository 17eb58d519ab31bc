"""Kubernetes on this machine: a bare control plane, or a whole cluster that runs real containers."""
