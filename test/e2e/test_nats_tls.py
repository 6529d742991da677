"""NATS as `poseidon cluster init --server-config` sets it up: TLS, and a user for each kind of process."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

from support import PROGRAM, Poseidon, wait_for
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


if __name__ == "__main__":
    unittest.main()
