"""Reads Authentication-Results fields (RFC 8601) with Debian's authres, one line of JSON each. Run by authres.ts."""

import json
import sys

# It comes from a root of its own.
sys.path.append("/var/seen/authres/usr/lib/python3/dist-packages")

import authres


def value(result):
    properties = {f"{one.type}.{one.name}": one.value for one in result.properties}
    return {"method": result.method, "result": result.result, "reason": result.reason, "properties": properties}


for line in sys.stdin:
    question = json.loads(line)
    try:
        field = authres.AuthenticationResultsHeader.parse(question["field"])
        answer = {"answer": {"authservId": field.authserv_id, "results": [value(one) for one in field.results]}}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
