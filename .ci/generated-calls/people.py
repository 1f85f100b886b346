"""Requests of our own: signing in, and looking things up."""

import http.client
import itertools
import json

EMAIL, PASSWORD = "calls@example.com", "a longer sentence for the calls"

# Sign-ins that were made up fail, and their address has to wait; ours come from others. The server trusts its own machine as a proxy.
ADDRESSES = itertools.count(1)


def ask(port, method, path, headers=None, body=None):
    """One request: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, body=sent, headers={"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def look(port, path, credentials):
    """A GET: status and body."""
    cookies = "; ".join(f"{name}={value}" for name, value in credentials["cookies"].items())
    status, _, text = ask(port, "GET", path, {**credentials["headers"], "Cookie": cookies})
    return status, text


def is_signed_in(port, credentials):
    return look(port, "/api/v1/session", credentials)[0] == 200


def read(port, path, credentials):
    """What is answered to a GET that must be right."""
    status, text = look(port, path, credentials)
    if status != 200:
        raise SystemExit(f"GET {path}: {status} {text}")
    return json.loads(text)


def sign_in(port):
    """The headers and cookies of a new session."""
    forwarded = {"X-Forwarded-For": f"192.0.2.{next(ADDRESSES) % 256}", "X-Forwarded-Proto": "https"}
    status, headers, text = ask(port, "POST", "/api/v1/session", forwarded, {"email": EMAIL, "password": PASSWORD})
    if status != 200:
        raise SystemExit(f"signing in: {status} {text}")
    name, value = headers["Set-Cookie"].split(";")[0].split("=", 1)
    shown = {"X-Forwarded-Proto": "https", "X-CSRF-Token": json.loads(text)["csrf_token"]}
    return {"headers": shown, "cookies": {name: value}}
