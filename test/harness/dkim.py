"""Signs and verifies messages with Debian's dkimpy, one line of JSON each. Run by dkim.ts."""

import base64
import json
import sys

import dkim


def sign(question):
    message = base64.b64decode(question["message"])
    field = dkim.sign(
        message,
        question["selector"].encode(),
        question["domain"].encode(),
        question["privateKeyPem"].encode(),
    )
    return base64.b64encode(field + message).decode()


def verify(question):
    def txt(name, timeout=None):
        record = question["dns"].get(name.decode().rstrip("."))
        return None if record is None else record.encode()

    message = dkim.DKIM(base64.b64decode(question["message"]))
    try:
        return message.verify(idx=question["index"], dnsfunc=txt)
    except dkim.DKIMException:
        return False


for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"answer": {"sign": sign, "verify": verify}[question["ask"]](question)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
