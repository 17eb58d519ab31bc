"""Shared code for workloads: Ray clusters, descriptions, environments and registry logins."""
