"""A stand-in for Azure: a provider that checks calls against Bicep's types for Azure's APIs and keeps their state."""
