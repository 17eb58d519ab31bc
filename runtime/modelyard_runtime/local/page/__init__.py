"""A web page on loopback that shows a running system."""
