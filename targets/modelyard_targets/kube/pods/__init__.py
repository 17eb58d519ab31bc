"""Common parts of Pods: spec, resource requests and priorities."""
