"""Judges a client by SPF with Debian's pyspf, one line of JSON each. Run by spf.ts."""

import json
import sys

import spf

records = {}


def lookup(name, qtype, *_rest, **_options):
    texts = records.get(str(name).rstrip(".").lower(), {}).get(qtype, [])
    return [((name, qtype), value) for value in texts]


# The only place where pyspf asks DNS.
spf.DNSLookup = lookup

for line in sys.stdin:
    question = json.loads(line)
    records = {
        name: {"TXT": [(text.encode(),) for text in of.get("TXT", [])], "A": of.get("A", [])}
        for name, of in question["dns"].items()
    }
    try:
        result, explanation = spf.check2(i=question["client"], s=question["sender"], h=question["helo"])
        answer = {"answer": result}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
