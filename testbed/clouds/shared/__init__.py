"""Code that stand-ins for clouds share: Pulumi's provider protocol, a resource's lifecycle, and orders from tests."""
