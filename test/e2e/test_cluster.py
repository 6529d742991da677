"""Several processes as one cluster: a real NATS server, two real engines, and what the death of each part means to users."""
import collections
import http.client
import subprocess
import time
import unittest
import urllib.error
import urllib.request
import uuid

from support import PROGRAM, Poseidon, PrivateEngine, at_once, free_port, reference_image, wait_for
from test_nats import NatsServer


class Member(Poseidon):
    """A process of a cluster, that joined with a token."""

    def __init__(self, name, cluster, token, links, engine=None, lost_after="60s", roles=None, edge=None, machine=None):
        super().__init__(engine=engine, cluster=cluster, machine=machine, settings={"membership": {"suspect_after": "2s", "lost_after": lost_after},
                                                                   "edge": {"link_dir": links, **(edge or {})}})
        self.node = name
        self.flags = ["--roles", roles] if roles else []
        joined = subprocess.run([PROGRAM, "join", "-", "--data", f"{self.dir}/data"], input=token + "\n", capture_output=True, text=True, timeout=30)
        assert joined.returncode == 0, joined.stderr


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nats = NatsServer()
        cls.addClassCleanup(cls.nats.close)
        cls.second = PrivateEngine()
        cls.addClassCleanup(cls.second.close)
        reference_image(cls.second)

    def setUp(self):
        self.cluster = "e2e-" + uuid.uuid4().hex[:10]
        folder = Poseidon(cluster=self.cluster)
        self.addCleanup(folder.close)
        made = subprocess.run([PROGRAM, "cluster", "init", "--nats", self.nats.url, "--cluster", self.cluster, "--data", f"{folder.dir}/init", "--quiet"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.token, self.links = made.stdout.strip(), f"{folder.dir}/edges"
        self.a, self.b = self.member("na"), self.member("nb", self.second)

    def member(self, name, engine=None):
        lost_after = "4s" if "silent" in self._testMethodName else "60s"  # the shortest that the settings take; never
        made = Member(name, self.cluster, self.token, self.links, engine, lost_after)
        self.addCleanup(made.close)
        made.start()
        return made

    def tearDown(self):
        self.logs = [f"--- {p.node}\n{p.log()[-3000:]}" for p in (self.a, self.b)]

    def run(self, result=None):
        failures = len(result.failures) + len(result.errors)
        self.logs = []
        super().run(result)
        if len(result.failures) + len(result.errors) > failures:
            print(*self.logs, sep="\n")

    def both_ready(self):
        def ready():
            nodes = [p.call("GET", "/v1/nodes").json["items"] for p in (self.a, self.b)]
            return all(len(n) == 2 and all(x["state"] == "ready" and x["load"] and not x["trouble"] for x in n) for n in nodes)
        wait_for(ready, 30, "both gateways see both nodes")

    def running_on(self, node, other, owner):
        self.assertEqual(self.a.call("POST", f"/v1/nodes/{other}/cordon").status, 200)
        instance = self.a.running(**owner)
        self.assertEqual(self.a.call("POST", f"/v1/nodes/{other}/uncordon").status, 200)
        self.assertEqual(instance["node"], node)
        return instance

    def running_on_nb(self, **owner):
        return self.running_on("nb", "na", owner)

    def running_on_na(self, **owner):
        return self.running_on("na", "nb", owner)

    def test_instances_land_on_both_nodes_and_every_gateway_commands_all_of_them(self):
        self.both_ready()
        self.assertEqual(self.a.cli("config", "set", "limits.per_node", "3").returncode, 0)
        started = [self.a.running(user=f"u{i}") for i in range(6)]
        self.assertEqual(collections.Counter(i["node"] for i in started), {"na": 3, "nb": 3})
        for instance in started:  # through the gateway and the edge whose node it is not, half of the time
            for p in (self.a, self.b):
                wait_for(lambda p=p, i=instance: instance["id"] in p.page(i["host"]).text, 10, "each edge serves all")
            self.assertEqual(self.b.instance(instance["id"])["state"], "running")
            other = self.b if instance["node"] == "na" else self.a
            self.assertEqual(other.call("GET", f"/v1/instances/{instance['id']}/logs").status, 200)
            self.assertEqual(other.call("GET", f"/v1/instances/{instance['id']}/stats").status, 200)
            extended = other.call("POST", f"/v1/instances/{instance['id']}/extend")
            self.assertIn(extended.status, (200, 409), extended)
            self.assertEqual(other.call("POST", f"/v1/instances/{instance['id']}/reset").status, 200)
            again = other.wait_state(instance["id"], "running")
            self.assertEqual((again["node"], again["host"]), (instance["node"], instance["host"]))
            stopped = other.call("DELETE", f"/v1/instances/{instance['id']}")
            self.assertEqual(stopped.status, 202)
        wait_for(lambda: not self.a.engine.objects(self.cluster) and not self.second.objects(self.cluster), 30, "nothing is left behind")

    def test_the_same_user_gets_one_instance_from_two_gateways(self):
        self.both_ready()
        replies = at_once([lambda p=p: p.start_instance(user="zoe", wait=None) for p in (self.a, self.b)] * 10)
        self.assertLessEqual({r.status for r in replies}, {200, 202}, replies)
        self.assertEqual(len({r.json["id"] for r in replies}), 1)

    def test_limits_hold_exactly_across_gateways(self):
        self.both_ready()
        for p in (self.a, self.b):
            p.cli("config", "set", "limits.per_owner", "3")
        names = ["hello", "slow", "brief", "stubborn", "deaf"]
        replies = at_once([lambda p=p, n=n: p.start_instance(n, user="greedy", wait=None) for n in names for p in (self.a, self.b)] * 4)
        live = [i for i in self.b.call("GET", "/v1/instances?user=greedy&limit=100").json["items"] if i["state"] in ("queued", "pending", "running")]
        self.assertLessEqual(len({i["id"] for i in live}), 3)
        self.assertEqual(len({r.json["id"] for r in replies if r.status in (200, 202)}), 3)
        self.assertTrue(all(r.status == 409 and r.json["code"] == "owner_limit_reached" for r in replies if r.status not in (200, 202)))

    def test_a_killed_node_process_adopts_its_instances_and_the_other_gateway_goes_on(self):
        self.both_ready()
        mine = self.running_on_nb(user="k")
        self.b.kill()
        wait_for(lambda: self.a.call("GET", "/v1/nodes/nb").json["state"] == "suspect", 20, "nothing new goes there")
        self.assertEqual(self.a.start_instance(user="meanwhile").json["node"], "na")
        self.b.start()
        wait_for(lambda: self.a.instance(mine["id"])["state"] == "running" and self.b.page(mine["host"]).status == 200, 20, "served again")
        self.assertEqual(self.b.instance(mine["id"])["expires_at"], mine["expires_at"])

    def test_a_silent_node_is_lost_its_slot_is_free_and_what_comes_back_is_fenced(self):
        self.both_ready()
        mine = self.running_on_nb(user="s")
        self.b.process.send_signal(19)  # SIGSTOP: frozen, not dead
        self.addCleanup(lambda: self.b.process.poll() is None and self.b.process.send_signal(18))
        wait_for(lambda: self.a.call("GET", "/v1/nodes/nb").json["state"] == "suspect", 20, "it is suspect first")
        wait_for(lambda: self.a.instance(mine["id"])["state"] == "lost", 30, "its instances are lost")
        self.assertEqual(self.a.call("GET", "/v1/nodes/nb").json["state"], "lost")
        retaken = self.a.running(user=mine["owner"]["user"])
        self.assertNotEqual(retaken["id"], mine["id"])
        self.assertEqual(retaken["node"], "na")
        self.b.process.send_signal(18)  # thawed
        gone = lambda: not any(c["Labels"].get("poseidon.instance") == mine["id"] for c in self.second.containers(self.cluster))
        wait_for(gone, 20, "the old copy is removed")
        wait_for(lambda: self.a.call("GET", "/v1/nodes/nb").json["state"] == "ready", 20, "the node registers again")
        self.assertEqual(self.a.instance(retaken["id"])["state"], "running")
        self.assertEqual(self.a.page(retaken["host"]).status, 200)

    def test_deadlines_are_moved_while_nats_is_silent_for_everybody(self):
        self.both_ready()
        mine = self.running_on_nb(challenge="patient", user="p")
        self.nats.kill()
        self.addCleanup(lambda: self.nats.process.poll() is None or self.nats.start())
        over = time.monotonic() + 6  # far beyond half of the loss time
        moved = []

        def extended():
            reply = self.b.call("POST", f"/v1/instances/{mine['id']}/extend")
            self.assertEqual(reply.status, 200, reply)
            moved.append(reply.json["expires_at"])
            return time.monotonic() > over
        wait_for(extended, 30, "extensions are granted all the time")
        self.nats.start()
        wait_for(lambda: self.a.instance(mine["id"])["expires_at"] == moved[-1], 30, "the ledger learns of them")
        self.assertEqual(self.a.instance(mine["id"])["state"], "running")

    def test_logs_are_followed_from_the_other_node_and_a_dead_reader_leaves_no_stream_open(self):
        self.both_ready()
        mine = self.running_on_nb(user="f", challenge="hello")
        host, port = self.a.api.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", f"/v1/instances/{mine['id']}/logs?follow=true", headers={"Authorization": f"Bearer {self.a.key}"})
        reply = connection.getresponse()
        self.assertEqual(reply.status, 200)
        container = next(c for c in self.second.containers(self.cluster) if c["Labels"].get("poseidon.instance") == mine["id"])
        pid = self.second.inspect(container["Id"])["State"]["Pid"]
        for n in range(3):  # what the service's first process writes, as it writes it
            with open(f"/proc/{pid}/fd/1", "w") as out:
                out.write(f"line {n} of the other node\n")
            text = b""
            while f"line {n} of the other node\n".encode() not in text:
                text += reply.read1(65536)
        self.a.kill()  # the reader, without a word
        wait_for(lambda: "its reader is silent" in self.b.log(), 60, "the node ends the stream by itself")
        self.assertEqual(self.b.instance(mine["id"])["state"], "running")

    def test_a_drained_node_gets_nothing_new_and_refuses_extensions(self):
        self.both_ready()
        mine = self.running_on_nb(challenge="brief", user="d")
        self.assertEqual(self.a.cli("nodes", "drain", "nb").returncode, 0)
        wait_for(lambda: self.b.call("GET", "/v1/nodes/nb").json["state"] == "draining", 10, "both know")
        refused = self.a.call("POST", f"/v1/instances/{mine['id']}/extend")
        self.assertEqual((refused.status, refused.json["code"]), (409, "extension_refused"), refused)
        self.assertIn("drain", refused.json["detail"])
        self.assertEqual({self.a.running(user=f"e{n}")["node"] for n in range(4)}, {"na"})
        self.assertEqual(self.a.cli("nodes", "uncordon", "nb").returncode, 0)

    def check(self, address):
        with urllib.request.urlopen(urllib.request.Request(f"http://{address}/healthz"), timeout=10) as reply:
            return reply.status

    def failing(self, address):
        try:
            return self.check(address) == 503
        except urllib.error.HTTPError as error:
            return error.code == 503

    def test_a_drain_ends_at_its_limit_and_the_machines_edge_fails_its_check_meanwhile(self):
        self.both_ready()
        address = "127.0.0.1:%d" % free_port()
        edge = Member("ne", self.cluster, self.token, self.links, roles="edge", edge={"admin_listen": [address]})
        self.addCleanup(edge.close)
        edge.start()
        mine = self.running_on_nb(user="d")
        stays = self.running_on_na(user="s")
        events = self.a.events("/v1/events?type=node.")
        self.addCleanup(events.close)
        drained = self.b.cli("nodes", "drain", "nb", "--limit", "8s")
        self.assertEqual(drained.returncode, 0, drained.stderr)
        drain = wait_for(lambda: self.b.call("GET", "/v1/nodes/nb").json["drain"], 10, "both know")
        self.assertEqual((drain["limit_ms"], drain["left"]), (8000, 1))
        self.assertIn("draining, 1 left", self.b.cli("nodes", "ls").stdout)
        self.assertEqual(self.a.instance(mine["id"])["state"], "running", "not before the limit")
        self.assertEqual(self.check(address), 200, "another node of this machine goes on")
        ended = wait_for(lambda: (i := self.a.instance(mine["id"]))["state"] == "stopped" and i, 30, "what is left is evicted")
        self.assertEqual(ended["reason"], "evicted")
        wait_for(lambda: "draining, empty" in self.a.cli("nodes", "ls").stdout, 10, "done when empty")
        events.wait("node.drained")
        self.assertEqual(self.a.instance(stays["id"])["state"], "running")
        self.assertEqual(self.a.cli("nodes", "drain", "na").returncode, 0)
        wait_for(lambda: self.failing(address), 10, "no node of this machine takes players any more")
        self.assertEqual(self.a.page(stays["host"]).status, 200, "who is there is served")
        self.assertEqual(self.a.cli("nodes", "uncordon", "na").returncode, 0)
        wait_for(lambda: not self.failing(address), 10, "back")
        self.assertEqual(self.a.cli("nodes", "uncordon", "nb").returncode, 0)
        self.assertIsNone(wait_for(lambda: (n := self.a.call("GET", "/v1/nodes/nb").json)["state"] == "ready" and n, 10, "ended")["drain"])

    def test_why_an_instance_is_where_it_is_and_what_requires_a_label_nobody_has(self):
        self.both_ready()
        mine = self.running_on_nb(user="w")
        shown = wait_for(lambda: self.a.call("GET", f"/v1/instances/{mine['id']}").json["placement"], 10, "this gateway has seen it")
        self.assertEqual(shown["node"], "nb")
        self.assertEqual({c["node"]: c["why_not"] for c in shown["candidates"]}, {"nb": None, "na": "is cordoned"})
        told = self.a.cli("show", mine["id"]).stdout
        self.assertIn("the only node that is ready and fits", told)
        self.assertIn("na is cordoned", told)
        spec = {"image": "poseidon-test/busybox", "command": ["sleep", "60"], "placement": {"require": {"gpu": "yes"}}}
        refused = self.a.call("POST", "/v1/instances", {"spec": spec, "owner": {"user": "g"}})
        self.assertEqual((refused.status, refused.json["code"]), (503, "capacity_exhausted"), refused)
        self.assertIn("no node has the labels that it requires: gpu=yes", refused.json["detail"])

    def test_a_node_is_emptied_under_the_same_urls(self):
        self.both_ready()
        there = [self.running_on_nb(user=f"m{n}") for n in range(3)]
        done = self.b.cli("nodes", "drain", "nb", "--move")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{len(there)} moved", done.stdout)
        for before in there:
            after = wait_for(lambda b=before: (i := self.a.instance(b["id"]))["state"] == "running" and i["node"] == "na" and i, 30, "it runs elsewhere")
            self.assertEqual((after["host"], after["expires_at"]), (before["host"], before["expires_at"]))
            self.assertIn(before["id"], self.a.page(before["host"]).text)
        wait_for(lambda: not [c for c in self.second.containers(self.cluster) if c["Labels"]["poseidon.instance"] != "probe"], 30, "the node is empty")

    def test_a_stranger_with_another_key_is_no_member(self):
        self.both_ready()
        other = subprocess.run([PROGRAM, "cluster", "init", "--nats", self.nats.url, "--cluster", self.cluster, "--data", f"{self.a.dir}/other", "--quiet"],
                               capture_output=True, text=True, timeout=30)
        stranger = Member("nx", self.cluster, other.stdout.strip(), self.links, roles="gateway")
        self.addCleanup(stranger.close)
        stranger.start()
        wait_for(lambda: "another cluster key" in self.a.log(), 10, "the members say so")


if __name__ == "__main__":
    unittest.main()
