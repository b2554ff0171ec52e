"""Speaks with a channel through the reference libraries.

peer.py send LIBRARY URL SECRET    signs each body of standard input (a JSON list) and sends it; prints the answers
peer.py verify LIBRARY SECRET      verifies each request of standard input (a JSON list of headers and body)
"""

import datetime
import json
import sys
import urllib.error
import urllib.request

import standardwebhooks
import svix.webhooks

LIBRARIES = {
    "standardwebhooks": (standardwebhooks.Webhook, "webhook"),
    "svix": (svix.webhooks.Webhook, "svix"),
}


def send(library, url, secret):
    webhook, names = LIBRARIES[library]
    answers = []
    for number, body in enumerate(json.load(sys.stdin)):
        identifier = f"msg_{library}_{number}"
        now = datetime.datetime.now(tz=datetime.timezone.utc)
        headers = {
            "content-type": "application/json",
            f"{names}-id": identifier,
            f"{names}-timestamp": str(int(now.timestamp())),
            f"{names}-signature": webhook(secret).sign(identifier, now, body),
        }
        request = urllib.request.Request(url, body.encode(), headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request) as response:
                answers.append([response.status, json.load(response)])
        except urllib.error.HTTPError as error:
            answers.append([error.code, json.load(error)])
    json.dump(answers, sys.stdout)


def verify(library, secret):
    webhook, _ = LIBRARIES[library]
    for request in json.load(sys.stdin):
        webhook(secret).verify(request["body"], request["headers"])


if __name__ == "__main__":
    {"send": send, "verify": verify}[sys.argv[1]](*sys.argv[2:])
