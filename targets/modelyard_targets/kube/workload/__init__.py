"""Code that workloads share: Ray clusters, descriptions, environments and registry logins."""
