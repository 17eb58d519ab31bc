"""Support for code hosts: comments on changes through their REST APIs, and pipeline files that review changes.

Only `modelyard comment` opens a connection, and only to the host named in its environment.
"""
