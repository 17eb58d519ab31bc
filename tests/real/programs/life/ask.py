"""Sends rows to an endpoint and prints the status and response as JSON. Without a response, the status is 0."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

url, token, rows = sys.argv[1:]
request = urllib.request.Request(url, rows.encode(), {"Authorization": f"Bearer {token}"})
try:
    with urllib.request.urlopen(request, timeout=10) as response:
        print(json.dumps([response.status, json.load(response)]))
except urllib.error.HTTPError as refused:
    print(json.dumps([refused.code, refused.read().decode(errors="replace")]))
except OSError as problem:
    print(json.dumps([0, str(problem)]))
