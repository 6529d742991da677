"""Two machines: their instances are reached through the edge of either, over the edges' own connection."""
import http.client
import shutil
import subprocess
import tempfile
import unittest
import uuid

from support import PROGRAM, Machine, PrivateEngine, free_port, reference_image, wait_for
from test_cluster import Member
from test_nats import NatsServer


class Machines(unittest.TestCase):
    """na on this machine, nb on another one; each a gateway, a node and an edge."""

    @classmethod
    def setUpClass(cls):
        cls.nats = NatsServer()
        cls.addClassCleanup(cls.nats.close)
        cls.other = Machine()
        cls.addClassCleanup(cls.other.close)
        cls.engine = PrivateEngine(machine=cls.other)
        cls.addClassCleanup(cls.engine.close)
        reference_image(cls.engine)

    def setUp(self):
        self.cluster = "e2e-" + uuid.uuid4().hex[:10]
        self.folder = tempfile.mkdtemp(prefix="poseidon-machines-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        made = subprocess.run([PROGRAM, "cluster", "init", "--nats", self.nats.url, "--cluster", self.cluster, "--data", f"{self.folder}/init", "--quiet"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.token = made.stdout.strip()

    def member(self, name, relayed=True, **more):
        edge = {"relay_listen": [f"127.0.0.1:{free_port()}"]} if relayed else {}
        made = Member(name, self.cluster, self.token, f"{self.folder}/{name}", edge=edge, **more)
        self.addCleanup(made.close)
        self.addCleanup(lambda: self._outcome.success or print(f"--- {name}\n{made.log()[-4000:]}"))
        made.start()
        return made

    def both(self, **more):
        self.a, self.b = self.member("na", **more), self.member("nb", engine=self.engine, machine=self.other, **more)
        ready = lambda p: [n["state"] for n in p.call("GET", "/v1/nodes").json["items"]] == ["ready", "ready"]
        wait_for(lambda: ready(self.a) and ready(self.b), 30, "both see both")

    def running_on(self, node, user):
        other = {"na": "nb", "nb": "na"}[node]
        self.assertEqual(self.a.call("POST", f"/v1/nodes/{other}/cordon").status, 200)
        instance = self.a.running(user=user)
        self.assertEqual(self.a.call("POST", f"/v1/nodes/{other}/uncordon").status, 200)
        self.assertEqual(instance["node"], node)
        return instance

    def test_each_edge_serves_the_instances_of_the_other_machine(self):
        self.both()
        for node, other in (("na", self.b), ("nb", self.a)):
            instance = self.running_on(node, f"on-{node}")
            wait_for(lambda i=instance, p=other: instance["id"] in p.page(i["host"]).text, 20, "the other machine's edge serves it")
            # A kept connection carries one request after another to the same instance.
            host, port = other.edge.rsplit(":", 1)
            kept = http.client.HTTPConnection(host, int(port), timeout=10)
            self.addCleanup(kept.close)
            for _ in range(3):
                kept.request("GET", "/", headers={"Host": instance["host"]})
                self.assertIn(instance["id"], kept.getresponse().read().decode())
            self.assertEqual(self.a.call("DELETE", f"/v1/instances/{instance['id']}").status, 202)
            wait_for(lambda i=instance, p=other: p.page(i["host"]).status == 410, 20, "its end is told there")

    def test_a_machine_that_lets_no_edge_in_is_served_by_its_own_edge_alone(self):
        self.both(relayed=False)
        instance = self.running_on("nb", "own")
        wait_for(lambda: instance["id"] in self.b.page(instance["host"]).text, 20, "its own edge serves it")
        refused = wait_for(lambda: (r := self.a.page(instance["host"])).status == 502 and r, 20, "the other one can't")
        self.assertNotIn(instance["id"], refused.text)

    def test_a_machine_that_dies_is_lost_and_what_ran_there_answers_gone(self):
        machine = Machine()
        self.addCleanup(machine.close)
        engine = PrivateEngine(machine=machine)
        self.addCleanup(engine.close)
        reference_image(engine)
        self.a = self.member("na", lost_after="4s")
        self.b = self.member("nb", lost_after="4s", engine=engine, machine=machine)
        wait_for(lambda: len(self.a.call("GET", "/v1/nodes").json["items"]) == 2, 30, "it has joined")
        instance = self.running_on("nb", "dies")
        wait_for(lambda: instance["id"] in self.a.page(instance["host"]).text, 20, "served here too")
        machine.close()
        wait_for(lambda: self.a.instance(instance["id"])["state"] == "lost", 30, "its instances are lost")
        wait_for(lambda: self.a.page(instance["host"]).status == 410, 20, "players are told")
        self.assertEqual(self.a.running(user="dies")["node"], "na")


if __name__ == "__main__":
    unittest.main()
