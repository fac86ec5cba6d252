"""Prints where the demo's API is, an API key that may make many requests, and the session of a portal user."""

import email
import email.policy
import json
import pathlib
import re
import sys
import time
import urllib.request

demo = json.load(open(sys.argv[1], encoding="utf-8"))
base = demo["api"]


def call(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method), timeout=60) as answer:
        return json.load(answer), answer.headers


def session(path, address, password):
    _, headers = call("POST", path, {"email": address, "password": password})
    return headers["set-cookie"].split(";")[0]


cookie = session("/api/session", demo["email"], demo["password"])
key, _ = call(
    "POST", "/api/api-keys", {"name": "Schemathesis", "scope": "admin", "requests_per_minute": 6000}, cookie=cookie
)

# A person of a client comes in as people do: invited, by the link in the letter.
client = call("GET", "/api/clients?limit=1", cookie=cookie)[0]["items"][0]["id"]
call("POST", f"/api/clientone-admin/settings/{client}/enable", {}, cookie=cookie)
guest = {"client_id": client, "email": "guest@client.example", "name": "Gale Guest", "role": "manager"}
call("POST", "/api/clientone-admin/users/invitations", guest, cookie=cookie)
mails, token = pathlib.Path(sys.argv[2]), None
for _ in range(300):
    for letter in mails.rglob("*.eml"):
        parsed = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
        found = re.search(r"#([A-Za-z0-9_\-]+)", parsed.get_body(("plain",)).get_content())
        if parsed["to"] and "guest@client.example" in parsed["to"] and found:
            token = found.group(1)
    if token:
        break
    time.sleep(0.2)
assert token, f"no letter came to {mails}"
accepted = {"token": token, "name": "Gale Guest", "password": demo["password"] + demo["password"]}
call("POST", "/api/clientone/invitation-acceptance", accepted)
portal = session("/api/clientone/session", "guest@client.example", accepted["password"])
print(base, key["token"], portal.split("=", 1)[1])
