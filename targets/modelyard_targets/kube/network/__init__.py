"""Network policies, and routing of external requests to endpoints."""
