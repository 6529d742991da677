"""NATS as `poseidon cluster init --server-config` sets it up: TLS, and a user for each kind of process."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

from support import PROGRAM, Poseidon, free_port, wait_for
from test_cluster import Member
from test_nats import NatsServer


def run(*arguments, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=environment, timeout=60, **more)


class SecuredServer(NatsServer):
    """A nats-server on the very configuration that the program wrote."""

    scheme = "tls"

    def __init__(self, cluster):
        self.cluster = cluster
        super().__init__()

    def prepare(self):
        made = run("cluster", "init", "--nats", self.url, "--cluster", self.cluster, "--data", f"{self.dir}/init", "--server-config", f"{self.dir}/server", "--quiet")
        assert made.returncode == 0, made.stderr
        self.token = made.stdout.strip()

    def arguments(self):
        return ["-c", f"{self.dir}/server/nats-server.conf"]


class ConfiguredServer(NatsServer):
    """A nats-server on a configuration that lies there already; started by the test."""

    def __init__(self, config, host, port):
        self.config = config
        super().__init__(host, port, started=False)

    def arguments(self):
        return ["-c", str(self.config)]


class Secured(unittest.TestCase):
    def setUp(self):
        self.cluster = "e2e-" + uuid.uuid4().hex[:10]
        self.nats = SecuredServer(self.cluster)
        self.addCleanup(self.nats.close)
        self.links = tempfile.mkdtemp(prefix="poseidon-links-")
        self.addCleanup(shutil.rmtree, self.links, ignore_errors=True)

    def test_gateway_and_node_work_over_tls_and_an_edge_with_its_own_user_serves(self):
        token = run("cluster", "token", "--roles", "edge", "--data", f"{self.nats.dir}/init")
        self.assertEqual(token.returncode, 0, token.stderr)
        self.assertNotEqual(token.stdout.strip(), self.nats.token)
        main = Member("n1", self.cluster, self.nats.token, self.links, roles="gateway,node")
        self.addCleanup(main.close)
        main.start()
        edge = Member("e1", self.cluster, token.stdout.strip(), self.links)  # its role comes with the token
        self.addCleanup(edge.close)
        edge.api = None
        edge.start()
        instance = main.running()
        wait_for(lambda: instance["id"] in edge.page(instance["host"]).text, 20, "the edge serves it")
        # It follows the ledger: what ended is told as such, which its machine's node alone does not know after a restart.
        self.assertEqual(main.call("DELETE", f"/v1/instances/{instance['id']}").status, 202)
        wait_for(lambda: edge.page(instance["host"]).status == 410, 20, "its end is known there")
        self.assertNotIn("Permissions Violation", edge.log())
        self.assertNotIn("Violation", pathlib.Path(self.nats.dir, "log").read_text(), "each may do what its role needs")
        seeds = [pathlib.Path(p.dir, "data/nats.nk").read_text() for p in (main, edge)]
        self.assertNotEqual(*seeds)
        self.assertFalse(pathlib.Path(edge.dir, "data/nats-authority.json").exists())

    def test_a_server_that_somebody_else_vouches_for_is_refused_with_the_setting_to_look_at(self):
        other = SecuredServer(self.cluster)
        self.addCleanup(other.close)
        p = Member("n1", self.cluster, self.nats.token, self.links)
        self.addCleanup(p.close)
        shutil.copy(f"{other.dir}/init/nats-ca.pem", f"{p.dir}/data/nats-ca.pem")
        p.start()
        wait_for(lambda: re.search(r"no connection to NATS: .*nats\.ca", p.log()), 20, "the log says why")
        self.assertNotIn("entries 1 to", p.log())

    def test_without_the_token_nobody_gets_in(self):
        p = Poseidon(cluster=self.cluster, settings={"nats": {"urls": [self.nats.url], "ca": f"{self.nats.dir}/init/nats-ca.pem"}})
        self.addCleanup(p.close)
        p.start()
        wait_for(lambda: "does not know this user" in p.log(), 20, "the log says why")


class Three(unittest.TestCase):
    """Three servers on three addresses of this machine, each on the configuration that was written for it."""

    def setUp(self):
        self.cluster = "e2e-" + uuid.uuid4().hex[:10]
        self.dir = tempfile.mkdtemp(prefix="poseidon-three-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.port, self.between = free_port("0.0.0.0"), str(free_port("0.0.0.0"))
        self.members = []

    def init(self, hosts):
        """The token, and the servers' configurations."""
        folder = f"{self.dir}/servers-{len(hosts)}"
        made = run("cluster", "init", "--nats", ",".join(f"tls://{h}:{self.port}" for h in hosts), "--cluster", self.cluster, "--data", f"{self.dir}/init",
                   "--server-config", folder, "--quiet")
        self.assertEqual(made.returncode, 0, made.stderr)
        configs = sorted(pathlib.Path(folder).rglob("nats-server.conf"))
        self.assertEqual(len(configs), len(hosts))
        for one in configs:  # whatever else this machine runs between servers has the usual port
            one.write_text(one.read_text().replace(":6222", ":" + self.between))
        return made.stdout.strip(), [self.server(one, host) for one, host in zip(configs, hosts)]

    def server(self, config, host):
        made = ConfiguredServer(config, host, self.port)
        self.addCleanup(made.close)
        return made

    def member(self, name, token):
        made = Member(name, self.cluster, token, self.dir)
        self.addCleanup(made.close)
        self.addCleanup(lambda: self._outcome.success or print(made.log()[-4000:]))
        made.start()
        return made

    def starts(self, member, user, seconds=30):
        return wait_for(lambda: (r := member.start_instance(user=user)).status in (200, 202) and r.json["state"] == "running" and r.json, seconds, "starts are answered")

    def test_each_server_in_turn_is_lost_and_the_ledger_goes_on(self):
        token, servers = self.init(["127.0.77.1", "127.0.77.2", "127.0.77.3"])
        for one in servers:
            one.start()
        p = self.member("n1", token)
        first = self.starts(p, "first")
        self.assertIn("with 3 replica(s)", p.log())
        for n, one in enumerate(servers):
            one.kill()
            self.starts(p, f"without-{n}")  # one of the three was the leader
            one.start()
        # Nothing was torn: each kept what the others had acknowledged.
        self.assertNotIn("torn", p.log())
        self.assertEqual(p.instance(first["id"])["state"], "running")

    def test_one_server_becomes_three_and_nothing_is_lost(self):
        token, [alone] = self.init(["127.0.77.1"])
        alone.start()
        p = self.member("n1", token)
        before = self.starts(p, "early")
        key = p.call("POST", "/v1/keys", {"scopes": ["read"], "note": "kept"})
        self.assertEqual(key.status, 201, key)
        token, servers = self.init(["127.0.77.1", "127.0.77.2", "127.0.77.3"])
        alone.kill()
        for one in servers:
            one.start()
        p.kill()
        joined = run("join", "-", "--data", f"{p.dir}/data", input=token + "\n")
        self.assertEqual(joined.returncode, 0, joined.stderr)
        p.start()
        after = wait_for(lambda: (i := p.instance(before["id"])).get("state") == "running" and i, 30, "it runs on")
        self.assertEqual((after["host"], after["expires_at"]), (before["host"], before["expires_at"]))
        self.starts(p, "later")
        self.assertIn("with 3 replica(s)", p.log())
        self.assertEqual(p.call("GET", "/v1/instances", key=key.json["key"]).status, 200, "keys are there")
        servers[0].kill()
        self.starts(p, "one-is-lost")


if __name__ == "__main__":
    unittest.main()
