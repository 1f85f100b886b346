"""What schemathesis is told about the server beyond its description: who calls, what no call may take away, and what is counted.

Loaded by schemathesis for each caller; calls.py says in LINESHIFT_CALLS what this is about.
"""

import atexit
import collections
import json
import os
import threading

import schemathesis

import people

TOLD = json.loads(os.environ["LINESHIFT_CALLS"])

# Where a number that no call may take away is named: one that nothing has stands in its place.
NOTHING = 4_000_000_000

counts = collections.Counter()
operations = set()
lock = threading.Lock()


class Session:
    """A person's session. Some calls end it, as they are meant to; then the next of the spare ones takes its place. Nobody signs in
    meanwhile: passwords that were made up have locked the account by then."""

    def __init__(self):
        self.credentials, self.spare = TOLD["credentials"], TOLD["spare"]
        self.is_in_doubt = False

    def current(self):
        with lock:
            if self.is_in_doubt and not people.is_signed_in(TOLD["port"], self.credentials):
                if self.spare:
                    self.credentials = self.spare.pop()
                else:
                    counts["without session"] += 1
            self.is_in_doubt = False
            return self.credentials


session = Session()

if TOLD["caller"] != "nobody":

    @schemathesis.auth(refresh_interval=None)
    class Caller:
        """Shows every call's credentials, but for those calls that schemathesis makes to see that none does without."""

        def get(self, case, context):
            return session.current()

        def set(self, case, data, context):
            case.headers = {**(case.headers or {}), **data["headers"]}
            case.cookies = {**(case.cookies or {}), **data["cookies"]}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Whoever calls keeps their key, place, rights and session to the end: calls without rights would show nothing."""
    kept = TOLD["never"].get(case.operation.path, ())
    path = case.path_parameters or {}
    if str(path.get("id")) in map(str, kept):
        case.path_parameters = {**path, "id": NOTHING}
    # Nobody outside is called: no address of an account stands for a host that is there.
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("base_address"), str) and "://" in body["base_address"]:
        case.body = {**body, "base_address": "https://host.invalid/" + str(len(body["base_address"]))}


@schemathesis.hook
def after_call(context, case, response):
    with lock:
        counts[str(response.status_code)] += 1
        operations.add(case.operation.label)
        # Refused for want of a session, or signed out, or given another one.
        session.is_in_doubt |= TOLD["caller"] == "person" and (response.status_code == 401 or "set-cookie" in response.headers)


@atexit.register
def write_counts():
    with open(TOLD["counts"], "w", encoding="utf-8") as file:
        json.dump({"counts": counts, "operations": sorted(operations)}, file)
