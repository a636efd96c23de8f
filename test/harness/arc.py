"""Seals messages and verifies chains (RFC 8617) with Debian's dkimpy, one line of JSON each. Run by arc.ts."""

import base64
import hashlib
import json
import sys

# It reads Authentication-Results, and comes from a root of its own.
sys.path.append("/var/seen/authres/usr/lib/python3/dist-packages")

import dkim


def seal(question):
    message = base64.b64decode(question["message"])
    fields = dkim.arc_sign(
        message,
        question["selector"].encode(),
        question["domain"].encode(),
        question["privateKeyPem"].encode(),
        question["authservId"].encode(),
    )
    return base64.b64encode(b"".join(field.rstrip(b"\r\n") + b"\r\n" for field in fields)).decode()


def verify(question):
    def txt(name, timeout=None):
        record = question["dns"].get(name.decode().rstrip("."))
        return None if record is None else record.encode()

    # RFC 8463 is about DKIM, and dkimpy knows Ed25519 there alone. Its ARC is the same code with a table of its own.
    if question["ed25519"]:
        dkim.ARC_HASH_ALGORITHMS[b"ed25519-sha256"] = hashlib.sha256
    else:
        dkim.ARC_HASH_ALGORITHMS.pop(b"ed25519-sha256", None)
    chain, _, reason = dkim.arc_verify(base64.b64decode(question["message"]), dnsfunc=txt)
    return {"chain": "ended" if chain is None else chain.decode(), "reason": reason}


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": {"seal": seal, "verify": verify}[question["ask"]](question)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
