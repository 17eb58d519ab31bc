"""What stand-ins for clouds share: Pulumi's provider protocol, the life of a resource, and what a test can order."""
