"""Runs a whole system on one machine, using a single Ray, MLflow on SQLite, folder buckets and a gateway router."""
