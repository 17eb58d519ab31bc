"""A stand-in for Google Cloud: a provider that checks calls against Google's discovery documents and keeps state."""
