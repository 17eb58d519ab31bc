"""A stand-in for Azure, with a provider that checks calls against Bicep's types and keeps their state."""
