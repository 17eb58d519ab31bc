"""Network policies, and routes from clients to endpoints."""
