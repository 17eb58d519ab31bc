"""Code shared by all stand-ins: Pulumi's provider protocol, a resource's lifecycle, and failures that tests order."""
