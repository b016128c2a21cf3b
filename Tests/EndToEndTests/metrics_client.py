#!/usr/bin/env python3
"""Reads a host's metrics over HTTP with the parser of Prometheus' own client library, and prints them as JSON.

    metrics_client.py http://127.0.0.1:8765/metrics TOKEN-FILE

prints {"contentType", "types": {family: type}, "samples": [{"name", "labels", "value"}]}.
"""

import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def main():
    url, token_file = sys.argv[1:3]
    with open(token_file, encoding="utf-8") as file:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {file.read().strip()}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        kind, text = answer.headers["Content-Type"], answer.read().decode("utf-8")
    types, samples = {}, []
    for family in text_string_to_metric_families(text):
        if family.name in types:
            raise ValueError(f"the family {family.name} appears twice")
        types[family.name] = family.type
        samples += [{"name": one.name, "labels": one.labels, "value": one.value} for one in family.samples]
    print(json.dumps({"contentType": kind, "types": types, "samples": samples}))


if __name__ == "__main__":
    main()
