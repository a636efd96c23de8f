"""Reads DSNs with Python's email package and Debian's flufl.bounce, one line of JSON each. Run by dsn-readers.ts."""

import base64
import json
import sys
from email import message_from_bytes, policy

from flufl.bounce import all_failures


def fields(block):
    return {name.lower(): str(value) for name, value in block.items()}


def returned_header(parts):
    if len(parts) < 3:
        return {}
    if parts[2].is_multipart():
        return parts[2].get_payload(0)
    return message_from_bytes(parts[2].get_payload(decode=True), policy=policy.default)


def read(octets):
    message = message_from_bytes(octets, policy=policy.default)
    parts = list(message.iter_parts())
    blocks = [fields(block) for block in parts[1].get_payload()]
    temporary, permanent = all_failures(message_from_bytes(octets))
    return {
        "type": message.get_content_type(),
        "reportType": message["content-type"].params.get("report-type"),
        "header": fields(message),
        "text": parts[0].get_content(),
        "types": [part.get_content_type() for part in parts],
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "message": blocks[0],
        "recipients": blocks[1:],
        "returned": fields(returned_header(parts)),
        "temporary": sorted(address.decode() for address in temporary),
        "permanent": sorted(address.decode() for address in permanent),
    }


for line in sys.stdin:
    try:
        answer = {"answer": read(base64.b64decode(json.loads(line)["message"]))}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
