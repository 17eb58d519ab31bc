"""Kubernetes on this machine, as a bare control plane or as a whole cluster that runs real containers."""
