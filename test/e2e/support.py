"""What every end-to-end test needs: the real program on a real engine, in a cluster and a DATA of the test's own."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("POSEIDON_TEST_PROGRAM", str(ROOT / "build/release/poseidon"))
ENGINE = os.environ.get("POSEIDON_TEST_ENGINE") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """The engine as an outsider sees it, to check what is really there."""

    def __init__(self, address=ENGINE):
        self.address = address
        self.path = address.removeprefix("unix://")

    def call(self, method, path, body=None, headers=None):
        connection = UnixConnection(self.path)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def objects(self, cluster):
        """(kind, id, name) of everything labelled with this cluster."""
        query = urllib.parse.quote(json.dumps({"label": [f"poseidon.cluster={cluster}"]}))
        found = []
        for item in json.loads(self.call("GET", f"/containers/json?all=1&filters={query}")[1]):
            found.append(("container", item["Id"], item["Names"][0] if item["Names"] else item["Id"]))
        for item in json.loads(self.call("GET", f"/networks?filters={query}")[1]):
            found.append(("network", item["Id"], item["Name"]))
        for item in json.loads(self.call("GET", f"/volumes?filters={query}")[1]).get("Volumes") or []:
            found.append(("volume", item["Name"], item["Name"]))
        return found

    def containers(self, cluster, running_only=False):
        query = urllib.parse.quote(json.dumps({"label": [f"poseidon.cluster={cluster}"]}))
        return json.loads(self.call("GET", f"/containers/json?all={0 if running_only else 1}&filters={query}")[1])

    def inspect(self, container):
        return json.loads(self.call("GET", f"/containers/{container}/json")[1])

    def sweep(self, cluster):
        for kind, ident, _ in self.objects(cluster):
            path = {"container": f"/containers/{ident}?force=1&v=1", "network": f"/networks/{ident}", "volume": f"/volumes/{ident}?force=1"}
            self.call("DELETE", path[kind])


class PrivateEngine(Engine):
    """A dockerd of the test's own, which it may kill: in a network namespace of its own, or on a `machine` without a bridge."""

    def __init__(self, live_restore=True, started=True, machine=None):
        self.dir = tempfile.mkdtemp(prefix="poseidon-engine-")
        self.live_restore = live_restore
        self.inside = machine.inside + ["dockerd", "--bridge", "none", "--iptables=false"] if machine else \
            ["unshare", "-n", "--", "bash", "-c", 'ip link set lo up; exec dockerd "$@"', "_"]
        self.process = None
        super().__init__(f"unix://{self.dir}/docker.sock")
        if started:
            self.start()

    def start(self):
        pathlib.Path(self.dir, "docker.pid").unlink(missing_ok=True)
        # A killed dockerd takes its containerd along; a machine whose init reaps slowly would let it wait for the dead one.
        pathlib.Path(self.dir, "exec/containerd/containerd.pid").unlink(missing_ok=True)
        command = [*self.inside, "--data-root", f"{self.dir}/data", "--exec-root", f"{self.dir}/exec", "-p", f"{self.dir}/docker.pid", "-H", self.address]
        if self.live_restore:
            command.append("--live-restore")
        self.log = open(f"{self.dir}/log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        wait_for(lambda: self.answers(), 60, "the private engine answers")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("dockerd ended: " + pathlib.Path(self.dir, "log").read_text()[-800:])
        try:
            return self.call("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process is None:
            return shutil.rmtree(self.dir, ignore_errors=True)
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        # A containerd that outlived a killed dockerd belongs to nobody any more.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int(pathlib.Path(self.dir, "exec/containerd/containerd.pid").read_text()), signal.SIGKILL)
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if b"containerd-shim" in (line := (entry / "cmdline").read_bytes()) and self.dir.encode() in line:
                    os.kill(int(entry.name), signal.SIGKILL)
        self.log.close()
        mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines() if line.split()[1].startswith(self.dir)]
        for mount in sorted(mounts, reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Machine:
    """A pid namespace of its own, which makes another machine of whatever runs inside; the network is this one's."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        first = wait_for(lambda: children.read_text().split(), 10, "the namespace has its first process")[0]
        # It is unshare's copy until it has mounted its own /proc.
        wait_for(lambda: pathlib.Path(f"/proc/{first}/comm").read_text() == "sleep\n", 10, "the namespace is made")
        self.inside = ["nsenter", "-t", first, "-p", "-m", "--"]

    def close(self):
        """Ends everything inside, as the loss of its power does."""
        self.holder.kill()  # --kill-child: its first process goes too, and so does the namespace
        self.holder.wait()


def reference_image(engine):
    subprocess.run(["bash", "-c", f'. "{ROOT}/scripts/lib.sh"; reference_image "{engine.address}"'], check=True)


PORTS = iter(random.sample(range(20000, 32000), 12000))


def free_port(host="127.0.0.1"):
    """A port that nothing has, never one twice, for a program that is told its port or comes back to it. Below the range
    that the kernel gives to outgoing connections: one of those could take it in between."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    raise AssertionError(f"no port of {host} is free")


def wait_for(condition, seconds, what):
    """Polls until the condition holds; the bound is for the case that it never does."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


CHALLENGES = {
    "hello": None,  # the shipped example
    "stubborn": """
image: poseidon/hello:1
instance:
  command: ["/bin/sh", "-c", "trap '' TERM INT HUP; echo $POSEIDON_INSTANCE > /tmp/index.html; httpd -p 8000 -h /tmp; while :; do sleep 1 & wait $!; done"]
  ports: [{port: 8000}]
  tmpfs: [/tmp]
  lifetime: 4s
""",
    "brief": """
image: poseidon/hello:1
instance: {lifetime: 4s, extension: {step: 3s, after: 0%, max: 6s}}
""",
    "patient": """
image: poseidon/hello:1
instance: {lifetime: 10m, extension: {step: 1s, after: 0%, max: 1h}}
""",
    "missing-image": "image: poseidon/does-not-exist:7\ninstance: {pull: never, ports: [{port: 8000}]}\n",
    "exits": """
image: poseidon/hello:1
instance: {command: ["/bin/sh", "-c", "echo the reason stands here; exit 3"], ports: [{port: 8000}], restart: "no"}
""",
    "deaf": """
image: poseidon/hello:1
instance: {command: ["/bin/sh", "-c", "sleep 1000"], ports: [{port: 8000}], start_limit: 2s}
""",
    "slow": """
image: poseidon/hello:1
instance:
  command: ["/bin/sh", "-c", "sleep 2; exec /bin/sh /start"]
  ports: [{port: 8000}]
""",
    "large": """
image: poseidon/hello:1
instance: {limits: {memory: 64MiB}, reserve: {memory: 900GiB}}
""",
}


class Poseidon:
    """One `poseidon serve` on a DATA of its own."""

    def __init__(self, engine=None, settings=None, cluster=None, challenges=CHALLENGES, environment=None, node="n1", machine=None):
        self.engine = engine or Engine()
        self.node = node
        self.inside = machine.inside if machine else []
        self.cluster = cluster or "e2e-" + uuid.uuid4().hex[:10]
        self.dir = tempfile.mkdtemp(prefix="poseidon-e2e-")
        self.settings = settings or {}
        self.environment = environment or {}
        self.process = None
        self.flags = []
        self.api = self.edge = None
        folder = pathlib.Path(self.dir, "challenges")
        for name, text in challenges.items():
            if text is None:
                shutil.copytree(ROOT / "config/examples/challenges" / name, folder / name)
            else:
                (folder / name).mkdir(parents=True)
                (folder / name / "challenge.yml").write_text(text)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.log()[-6000:])
        self.close()

    def start(self, expect_ready=True):
        """Starts the program (again, on the same addresses) and waits for its ready line."""
        config = {"limits": {"per_user": 0, "per_team": 0}, "rate": {"per_minute": 60000, "burst": 10000}, **self.settings}
        path = pathlib.Path(self.dir, "poseidon.yml")
        path.write_text(json.dumps(config))
        command = [*self.inside, PROGRAM, "serve", "--config", str(path), "--data", f"{self.dir}/data", "--engine", self.engine.address, "--cluster", self.cluster,
                   "--node", self.node, "--challenges", f"{self.dir}/challenges", "--api", self.api or "127.0.0.1:0", "--edge", self.edge or "127.0.0.1:0",
                   *self.flags]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("POSEIDON_", "DOCKER_"))} | self.environment
        self.log_file = open(f"{self.dir}/log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log_file, env=environment)
        if not expect_ready:
            return self
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            self.process.wait(timeout=10)
            raise AssertionError(f"no ready line but {line!r}; log: {self.log()[-3000:]}")
        # A role that is not run has no address; where another process runs it, the test says so.
        self.api = (re.search(r"api=http://(\S+)", line) or [None, self.api])[1]
        self.edge = (re.search(r"edge=http://(\S+)", line) or [None, self.edge])[1]
        self.key = pathlib.Path(self.dir, "data/admin.key").read_text().strip()
        return self

    def log(self):
        return pathlib.Path(self.dir, "log").read_text(errors="replace")

    def kill(self):
        """kill -9, as a crash."""
        if self.inside:  # what enters a namespace waits outside for its child
            for child in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """SIGTERM: ends in order, containers stay."""
        self.process.terminate()
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        with contextlib.suppress(OSError):
            self.engine.sweep(self.cluster)
        shutil.rmtree(self.dir, ignore_errors=True)

    def call(self, method, path, body=None, key=None, headers=None, timeout=90):
        host, port = self.api.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            sent = {"Authorization": f"Bearer {self.key if key is None else key}", **(headers or {})}
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                sent["Content-Type"] = "application/json"
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def start_instance(self, challenge="hello", user="demo", wait="running", timeout="60s", headers=None, **owner):
        query = f"?wait={wait}&timeout={timeout}" if wait else ""
        return self.call("POST", "/v1/instances" + query, {"challenge": challenge, "owner": {"user": user, **owner}}, headers=headers)

    def running(self, challenge="hello", user="demo", **owner):
        """An instance that runs, as the API shows it."""
        reply = self.start_instance(challenge, user, **owner)
        assert reply.status in (200, 202), reply
        assert reply.json["state"] == "running", reply
        return reply.json

    def instance(self, ident):
        return self.call("GET", f"/v1/instances/{ident}").json

    def wait_state(self, ident, states, seconds=30):
        states = (states,) if isinstance(states, str) else states
        return wait_for(lambda: (i := self.instance(ident))["state"] in states and i, seconds, f"{ident} is {states}")

    def page(self, host, path="/", headers=None, timeout=10):
        """What a player sees under a host name."""
        address, port = self.edge.rsplit(":", 1)
        connection = http.client.HTTPConnection(address, int(port), timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": host, **(headers or {})})
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def events(self, path="/v1/events", last=None):
        """The event stream from a position on, as an iterator of parsed events in a thread-safe list."""
        return EventStream(self, path, last)

    def cli(self, *arguments, timeout=60):
        environment = {"PATH": os.environ["PATH"], "HOME": self.dir, "POSEIDON_ADDR": f"http://{self.api}", "POSEIDON_KEY": self.key, "TZ": "UTC"}
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=timeout)


class EventStream:
    def __init__(self, poseidon, path, last=None):
        host, port = poseidon.api.rsplit(":", 1)
        self.connection = http.client.HTTPConnection(host, int(port), timeout=120)
        headers = {"Authorization": f"Bearer {poseidon.key}", "Accept": "text/event-stream"}
        if last:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", path, headers=headers)
        self.reply = self.connection.getresponse()
        assert self.reply.status == 200, self.reply.status
        self.seen = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {}
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
            for raw in self.reply:
                line = raw.decode().rstrip("\n")
                if line.startswith("id:"):
                    event["id"] = line[3:].strip()
                elif line.startswith("event:"):
                    event["event"] = line[6:].strip()
                elif line.startswith("data:"):
                    event["data"] = event.get("data", "") + line[5:].strip()
                elif not line and event:
                    if "data" in event:
                        event["json"] = json.loads(event["data"])
                    event["received"] = time.time()
                    self.seen.append(event)
                    event = {}

    def wait(self, kind, instance=None, seconds=30):
        def look():
            for event in list(self.seen):
                body = event.get("json", {})
                if body.get("type") == kind and (instance is None or (body.get("instance") or {}).get("id") == instance):
                    return event
            return None
        return wait_for(look, seconds, f"event {kind}")

    def close(self):
        with contextlib.suppress(OSError):
            self.connection.sock.shutdown(socket.SHUT_RDWR) if self.connection.sock else None
        self.connection.close()


def at_once(calls):
    """Runs the calls concurrently, all released together; returns their results in order."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        return call()

    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(run, c) for c in calls]]


class Case(unittest.TestCase):
    """A test case with one Poseidon; tests use users of their own."""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.p = Poseidon(settings=cls.settings)
        cls.p.start()

    @classmethod
    def tearDownClass(cls):
        cls.p.close()

    def run(self, result=None):
        failures = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > failures:
            print(self.p.log()[-4000:])


if __name__ == "__main__":
    raise SystemExit("run the test files, or scripts/test -R e2e")
