"""Calls every endpoint of a server with calls that schemathesis makes up from its description, and judges the answers by it.

    calls.py PROGRAM FOLDER [SEED]

PROGRAM is `lineshift`, FOLDER an empty folder for the store and the reports. The server keeps its store there, listens at a port of 127.0.0.1
that the system gives, and knows a small fleet, people and keys. Everybody calls at once: nobody, an administrator's key, and somebody who
is signed in. What schemathesis finds is printed and ends this with 1, and so do fewer calls than are wanted, an answer of
5xx, and a key or a session that is no more at the end.
"""

import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import people

HERE = pathlib.Path(__file__).resolve().parent

# So many calls at least, of all callers together.
WANTED = 5_000

# By caller: the phases that make calls up, and how many of an operation the random ones make at most.
CALLERS = {
    "nobody": ("examples,fuzzing", 8),
    "key": ("examples,coverage,fuzzing,stateful", 20),
    "person": ("examples,coverage,fuzzing", 8),
}

# So many calls at least of those with credentials come to something: calls without rights, or without sense, show little.
WELCOME = {"nobody": 1, "key": 300, "person": 100}

# Sessions that wait until a call ends the one before: signing out, another tenant, ending one's own.
SPARE = 40

KINDS = "authentications providers customers sites plans pools devices assignments rev-services plan-queue".split()


class Server:
    """The server, and what is asked of it at its command line."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        limits = {f"LINESHIFT_LIMITS_REQUESTS_PER_SECOND_PER_{each}": "0" for each in ("KEY", "ADDRESS")}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINESHIFT_")}
        self.environment = {**inherited, **limits, "LINESHIFT_STORE": f"sqlite://{folder}/store.sqlite3", "LINESHIFT_LOG_FORMAT": "json"}
        self.environment["LINESHIFT_SERVER_TRUSTED_PROXIES"] = "127.0.0.1/32"
        self.environment["LINESHIFT_SECRETS_KEY_FILE"] = str(folder / "secret.key")
        self.process = None

    def run(self, *words, **given):
        done = subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True, **given)
        if done.returncode != 0:
            sys.exit(f"lineshift {' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout

    def fill(self):
        """A small fleet, two orders' worth of reference data, people and keys; answers the key that calls."""
        self.run("admin", "secret-key", "--file", str(self.folder / "secret.key"))
        self.run("admin", "tenant", "create", "Calls")
        self.run("examples", "generate", "--devices", "200", "--out", str(self.folder / "fleet"))
        for kind in KINDS:
            self.run("import", kind, str(self.folder / "fleet" / f"{kind}.csv"))
        self.run("admin", "create-admin", "--email", "first@example.com")
        for name in ("second", "third", "fourth"):
            self.run("admin", "key", "create", name)
        made = json.loads(self.run("admin", "key", "create", "calls", "--json"))
        self.run("admin", "create-admin", "--email", people.EMAIL, "--password-stdin", input=people.PASSWORD + "\n")
        return made["key"]

    def start(self):
        """Starts it; answers its port."""
        log = open(self.folder / "server.log", "w", encoding="utf-8")
        self.process = subprocess.Popen([self.program, "serve", "--listen", "127.0.0.1:0"], env=self.environment, stderr=log, stdout=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.log())
            if found:
                return int(found[1])
            time.sleep(0.05)
        sys.exit(f"the server did not start:\n{self.log()}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def log(self):
        return (self.folder / "server.log").read_text(encoding="utf-8")


def never(port, key, person):
    """The ids that no call may take away, by the template of the address that names them: whoever calls needs them to the end."""
    users = people.read(port, "/api/v1/users", key)["items"]
    member = next(user for user in users if user["email"] == people.EMAIL)
    sessions = people.read(port, "/api/v1/sessions", person)["items"]
    return {
        "/api/v1/api-keys/{id}/revoke": [people.read(port, "/api/v1/me", key)["key"]["id"]],
        "/api/v1/users/{id}": [member["id"]],
        "/api/v1/users/{id}/sessions": [member["id"]],
        "/api/v1/users/{id}/invitation": [member["id"]],
        "/api/v1/roles/{id}": member["roles"],
        "/api/v1/sessions/{id}": [session["id"] for session in sessions],
    }


class Caller:
    """Schemathesis, calling as somebody."""

    def __init__(self, name, credentials, known, folder, seed):
        self.name, self.folder = name, folder
        words = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(HERE / "schemathesis.toml"), "run"]
        words += [f"http://127.0.0.1:{known['port']}/openapi.json", "--seed", str(seed)]
        phases, examples = CALLERS[name]
        words += ["--phases", phases, "--max-examples", str(examples)]
        told = {"caller": name, "credentials": credentials, "counts": str(folder / f"{name}.json"), **known}
        own = {"LINESHIFT_CALLS": json.dumps(told), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
        with open(folder / f"{name}.txt", "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(words, cwd=folder, env={**os.environ, **own}, stdout=output, stderr=subprocess.STDOUT)

    def wait(self):
        """Whether nothing was found, how many calls were answered with which status, and which operations were called."""
        found = self.process.wait() != 0
        if found:
            print((self.folder / f"{self.name}.txt").read_text(encoding="utf-8"))
        told = json.loads((self.folder / f"{self.name}.json").read_text(encoding="utf-8"))
        counts = told["counts"]
        print(f"{self.name}: {sum(counts.values())} calls; " + ", ".join(f"{status}: {count}" for status, count in sorted(counts.items())))
        return not found, counts, set(told["operations"])


def measured(port):
    """How many answers of 5xx the server itself has counted."""
    status, _, text = people.ask(port, "GET", "/metrics")
    if status != 200:
        sys.exit(f"GET /metrics: {status}")
    counted = re.findall(r'^lineshift_http_request_seconds_count\{.*status="5\d\d".*\} (\d+)', text, re.MULTILINE)
    return sum(map(int, counted))


def described(port):
    """Every operation of the description, but for those that schemathesis.toml leaves out, and the description itself, which it reads first."""
    paths = json.loads(people.ask(port, "GET", "/openapi.json")[2])["paths"]
    left_out = re.findall(r'^include-path = "(.*)"', (HERE / "schemathesis.toml").read_text(encoding="utf-8"), re.MULTILINE) + ["/openapi.json"]
    methods = ("get", "put", "post", "delete", "patch")
    return {f"{method.upper()} {path}" for path, item in paths.items() if path not in left_out for method in methods if method in item}


def judge(port, key, results):
    """What is wrong, in words."""
    total = sum(sum(counts.values()) for _, counts, _ in results.values())
    if total < WANTED:
        yield f"{total} calls are fewer than {WANTED}"
    operations = described(port)
    for name, (is_good, counts, called) in results.items():
        if not is_good:
            yield f"{name}: something was found, see above"
        if operations - called:
            yield f"{name}: was not called: {', '.join(sorted(operations - called))}"
        welcome = sum(count for status, count in counts.items() if status.startswith("2"))
        if welcome < WELCOME[name]:
            yield f"{name}: {welcome} calls came to anything"
        if name != "nobody" and counts.get("401", 0) > sum(counts.values()) / 4:
            yield f"{name}: {counts['401']} calls were nobody's"
        if counts.get("without session"):
            yield f"{name}: all {SPARE} sessions were used up"
    if people.look(port, "/api/v1/me", key)[0] != 200:
        yield "the key is no more"
    if failures := measured(port):
        yield f"the server counted {failures} answers of 5xx"


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    server = Server(program, folder)
    try:
        key = {"headers": {"Authorization": f"Bearer {server.fill()}"}, "cookies": {}}
        port, started = server.start(), time.monotonic()
        person, *spare = (people.sign_in(port) for _ in range(1 + SPARE))
        known = {"port": port, "never": never(port, key, person), "spare": spare}
        credentials = {"nobody": {"headers": {}, "cookies": {}}, "key": key, "person": person}
        callers = [Caller(name, shown, known, folder, seed) for name, shown in credentials.items()]
        results = {caller.name: caller.wait() for caller in callers}
        problems = list(judge(port, key, results))
    finally:
        server.stop()
    total = sum(sum(counts.values()) for _, counts, _ in results.values())
    print(f"{total} calls in {time.monotonic() - started:.0f} s, seed {seed}")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
