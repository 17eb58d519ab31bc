"""A web page on the loopback interface that shows a running system."""
