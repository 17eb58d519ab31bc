"""Network policies, and the way of requests from outside to an endpoint."""
