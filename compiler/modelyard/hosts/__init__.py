"""What code hosts need: the comment on a change by their REST APIs, and pipeline files that review changes.

Only `modelyard comment` opens a connection, and only to the host that its environment names.
"""
