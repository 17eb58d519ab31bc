"""Kubernetes on this machine: a bare control plane, or all of it with real containers."""
