"""An edge in a process of its own: it outlives every other process, and starts from its snapshot."""
import http.client
import pathlib
import threading
import time
import unittest

from support import Poseidon, wait_for
from test_nats import NatsServer

LOAD_THREADS = 6
LOAD_SECONDS = 60


class Load:
    """Players' requests under one host name, over new connections and kept ones, until stopped."""

    def __init__(self, edge, host, expected):
        self.address, self.host, self.expected = edge.rsplit(":", 1), host, expected
        self.failures, self.answered, self.over = [], 0, False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(n % 2 == 0,), daemon=True) for n in range(LOAD_THREADS)]
        for thread in self.threads:
            thread.start()

    def run(self, keep):
        connection = None
        while not self.over:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.address[0], int(self.address[1]), timeout=10)
                connection.request("GET", "/", headers={"Host": self.host, **({} if keep else {"Connection": "close"})})
                reply = connection.getresponse()
                body = reply.read().decode(errors="replace")
                problem = None if reply.status == 200 and self.expected in body else f"{reply.status} {body[:200]}"
                if not keep or reply.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                problem, connection = repr(error), None
            with self.lock:
                self.answered += 1
                if problem:
                    self.failures.append((time.time(), problem))
            time.sleep(0.005)

    def goes_on(self, requests=200):
        """Waits until that many more have been answered, well or not."""
        wanted = self.answered + requests
        wait_for(lambda: self.answered >= wanted, 30, "the load goes on")

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join(timeout=20)
        return self


class Pair:
    """Gateway and node in one process, the edge in another one, of the same cluster and machine."""

    def __init__(self, test, settings):
        self.node = Poseidon(settings={"roles": ["gateway", "node"], **settings})
        test.addCleanup(self.node.close)
        link = {"edge": {"link_dir": f"{self.node.dir}/edges"}}
        self.node.settings |= link
        self.front = Poseidon(settings={"roles": ["edge"], **link, **settings}, cluster=self.node.cluster, node="e1", challenges={})
        test.addCleanup(self.front.close)
        test.addCleanup(lambda: test._outcome.success or print(f"--- node\n{self.node.log()[-4000:]}\n--- edge\n{self.front.log()[-4000:]}"))

    def start(self):
        self.front.start()
        self.start_node()

    def start_node(self):
        self.node.edge = self.front.edge  # where players come in
        self.node.start()

    def serves(self, instance, seconds=10):
        wait_for(lambda: instance["id"] in self.front.page(instance["host"]).text, seconds, "the edge serves it")


class LinkedEdge(unittest.TestCase):
    """Without NATS: the machine's own link is enough."""

    def setUp(self):
        self.pair = Pair(self, {})
        self.node, self.front = self.pair.node, self.pair.front

    def test_an_instance_is_served_extended_and_ended_through_the_separate_edge(self):
        self.pair.start()
        instance = self.node.running("brief", user="linked")
        self.pair.serves(instance)
        extended = wait_for(lambda: (r := self.node.call("POST", f"/v1/instances/{instance['id']}/extend", {})).status == 200 and r.json, 10, "it is extended")
        self.assertGreater(extended["expires_at"], instance["expires_at"])
        gone = wait_for(lambda: (r := self.front.page(instance["host"])).status == 410 and r, 30, "it expires")
        self.assertIn("expired", gone.text)
        other = self.node.running(user="linked")
        self.pair.serves(other)
        self.node.call("DELETE", f"/v1/instances/{other['id']}")
        self.assertEqual(wait_for(lambda: (r := self.front.page(other["host"])).status == 410 and r, 10, "it is cut").status, 410)

    def test_no_edge_is_said_and_an_edge_that_comes_is_enough(self):
        self.node.start()
        reply = self.node.start_instance(user="early", wait=None)
        self.assertEqual(reply.status, 202)
        shown = wait_for(lambda: (i := self.node.instance(reply.json["id"])) and "edge" in str(i.get("progress", i)) and i, 30, "the reason is shown")
        self.assertEqual(shown["state"], "pending")
        self.front.start()
        self.pair.serves(self.node.wait_state(reply.json["id"], "running"))

    def test_a_killed_edge_comes_back_with_what_the_node_says(self):
        self.pair.start()
        instance = self.node.running(user="back")
        self.pair.serves(instance)
        self.front.kill()
        pathlib.Path(self.front.dir, "data/routes").unlink(missing_ok=True)  # whatever it had written is lost
        self.front.start()
        self.pair.serves(instance)


class EdgeOutlives(unittest.TestCase):
    """The ledger on NATS; every process but the edge is killed under load."""

    def setUp(self):
        self.nats = NatsServer()
        self.addCleanup(self.nats.close)
        self.pair = Pair(self, {"nats": {"urls": [self.nats.url]}})
        self.node, self.front = self.pair.node, self.pair.front
        self.pair.start()

    def test_no_player_notices_that_node_gateway_and_nats_are_killed(self):
        instance = self.node.running(user="player")
        self.pair.serves(instance)
        load = Load(self.front.edge, instance["host"], instance["id"])
        end, kills = time.monotonic() + LOAD_SECONDS, 0
        while kills == 0 or time.monotonic() < end:
            load.goes_on(400)
            self.node.kill()
            load.goes_on(400)
            self.pair.start_node()
            wait_for(lambda: self.node.instance(instance["id"])["state"] == "running", 20, "the node adopts it")
            self.nats.kill()
            load.goes_on(400)
            self.nats.start()
            kills += 2
            later = f"later{kills}"
            wait_for(lambda u=later: (r := self.node.start_instance(user=u)).status in (200, 202) and r.json["state"] == "running", 20, "starts are answered again")
        load.stop()
        self.assertEqual(load.failures, [], f"of {load.answered} requests while {kills} processes were killed")
        self.assertGreater(load.answered, 1000)

    def test_the_edge_starts_and_serves_when_everything_else_is_dead(self):
        instance, short = self.node.running(user="player"), self.node.running("brief", user="short")
        self.pair.serves(instance)
        self.pair.serves(short)
        wait_for(lambda: short["host"].encode() in pathlib.Path(self.front.dir, "data/routes").read_bytes(), 10, "the snapshot is written")
        self.node.kill()
        self.nats.kill()
        self.front.kill()
        self.front.start()
        self.assertIn(instance["id"], self.front.page(instance["host"]).text)
        def after_the_deadline():
            try:
                reply = self.front.page(short["host"])
            except (OSError, http.client.HTTPException):
                return None  # cut at the deadline itself, in the middle of its answer
            return reply.status == 410 and reply
        gone = wait_for(after_the_deadline, 20, "the edge judges the deadline alone")
        self.assertIn("expired", gone.text)
        self.assertIn(instance["id"], self.front.page(instance["host"]).text)


if __name__ == "__main__":
    unittest.main()
