"""A stand-in for Google Cloud, with a provider that checks calls against discovery documents and keeps state."""
