"""Support for code hosts: the comment on a change through their REST APIs, and pipeline files that review changes.

Only `modelyard comment` opens a connection, and only to the host named in its environment.
"""
