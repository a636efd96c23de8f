"""Times pyspf itself: a case and a count in, seconds out. Run by spf.ts."""

import json
import sys
import time

import spf

records = {}


def lookup(name, qtype, *_rest, **_options):
    return [((name, qtype), value) for value in records.get((name.lower(), qtype), ())]


# The only place where pyspf asks DNS.
spf.DNSLookup = lookup

for line in sys.stdin:
    question = json.loads(line)
    case = question["case"]
    records = {}
    for name, of in case["zone"].items():
        records[(name, "TXT")] = [(text.encode(),) for text in of.get("TXT", [])]
        records[(name, "A")] = of.get("A", [])
    start = time.perf_counter()
    for _ in range(question["count"]):
        result, _words = spf.check2(i=case["client"], s=case["sender"], h="mail.example")
        assert result == "pass", result
    print(json.dumps({"answer": time.perf_counter() - start}), flush=True)
