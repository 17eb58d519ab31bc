"""Common parts of Pods: their frame, resource requests and priorities."""
