"""The ledger's log on a NATS server: adoption, and what the server's death, return and loss of memory mean to users."""
import contextlib
import http.client
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from support import Poseidon, free_port, wait_for

BACK_SECONDS = 10  # from the server's return to a start that is answered


class NatsServer:
    """A nats-server of the test's own, on loopback."""
    scheme = "nats"

    def __init__(self, host="127.0.0.1", port=None, started=True):
        self.program = os.environ.get("POSEIDON_TEST_NATS_SERVER") or shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
        if not self.program:
            raise AssertionError("this test needs a nats-server: none in PATH and none in POSEIDON_TEST_NATS_SERVER (scripts/test installs it)")
        self.dir = tempfile.mkdtemp(prefix="poseidon-nats-")
        self.host, self.port, self.process = host, port or free_port(host), None
        self.url = f"{self.scheme}://{host}:{self.port}"
        self.prepare()
        if started:
            self.start()

    def prepare(self):
        """Before its first start."""

    def arguments(self):
        return ["-a", self.host, "-p", str(self.port), "-js", "-sd", f"{self.dir}/store"]

    def start(self):
        with open(f"{self.dir}/log", "ab") as log:
            self.process = subprocess.Popen([self.program, *self.arguments()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.answers, 20, "the NATS server answers")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("nats-server ended: " + pathlib.Path(self.dir, "log").read_text()[-800:])
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wipe(self):
        shutil.rmtree(f"{self.dir}/store")

    def copy_store(self):
        """As a backup of the server's machine would have it; it does not run."""
        shutil.copytree(f"{self.dir}/store", f"{self.dir}/copy")

    def restore_copy(self):
        self.wipe()
        shutil.copytree(f"{self.dir}/copy", f"{self.dir}/store")

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Nats(unittest.TestCase):
    def setUp(self):
        self.nats = NatsServer()
        self.addCleanup(self.nats.close)
        self.p = Poseidon(settings={"nats": {"urls": [self.nats.url]}})
        self.addCleanup(self.p.close)
        self.p.start()

    def started_within(self, seconds, user):
        return wait_for(lambda: (r := self.p.start_instance(user=user)).status == 202 and r.json["state"] == "running" and r.json, seconds,
                        "starts are answered again")

    def test_the_log_is_on_the_server_and_a_killed_process_adopts_what_runs(self):
        p = self.p
        self.assertFalse(pathlib.Path(p.dir, "data/ledger.sqlite").exists())
        before = p.running()
        p.kill()
        p.start()
        after = p.instance(before["id"])
        self.assertEqual((after["state"], after["host"], after["expires_at"]), ("running", before["host"], before["expires_at"]))
        wait_for(lambda: before["id"] in p.page(before["host"]).text, 5, "served again")
        # Beside it there may be the container with which the new run proves isolation.
        found = [c["Labels"]["poseidon.instance"] for c in p.engine.containers(p.cluster)]
        self.assertEqual(found.count(before["id"]), 1, found)
        self.assertLessEqual(set(found), {before["id"], "probe"})
        p.call("DELETE", f"/v1/instances/{before['id']}")
        wait_for(lambda: not p.engine.objects(p.cluster), 30, "nothing is left behind")

    def test_without_the_server_players_are_served_and_starts_are_refused_with_a_time(self):
        p = self.p
        before = p.running()
        self.nats.kill()
        refused = wait_for(lambda: (r := p.start_instance(user="late", wait=None)).status == 503 and r, 20, "starts are refused")
        self.assertIn("Retry-After", refused.headers)
        self.assertEqual(refused.json["code"], "ledger_unavailable")
        self.assertIn(before["id"], p.page(before["host"]).text)
        self.nats.start()
        self.started_within(BACK_SECONDS, "back")
        self.assertEqual(p.instance(before["id"])["state"], "running")

    def test_a_server_that_lost_everything_is_filled_from_what_the_members_know(self):
        p = self.p
        before = p.running()
        self.assertEqual(p.call("POST", "/v1/keys", {"scopes": ["read"], "note": "kept"}).status, 201)
        self.nats.kill()
        self.nats.wipe()
        self.nats.start()
        self.started_within(BACK_SECONDS, "afterwards")
        self.assertEqual(p.instance(before["id"])["state"], "running")
        self.assertIn(before["id"], p.page(before["host"]).text)
        self.assertIn("kept", [k.get("note") for k in p.call("GET", "/v1/keys").json["items"]])


    def test_a_server_restored_from_an_old_backup_under_load_is_right_again_in_time(self):
        p = self.p
        old = [p.running(user=f"old{i}") for i in range(3)]
        self.nats.kill()
        self.nats.copy_store()
        self.nats.start()
        self.started_within(BACK_SECONDS, "between")
        self.assertEqual(p.call("POST", "/v1/keys", {"scopes": ["read"], "note": "after the copy"}).status, 201)
        self.assertEqual(p.call("PATCH", "/v1/settings", {"limits.per_owner": 5}).status, 200)
        young = [p.running(user=f"young{i}") for i in range(3)]  # of these the copy knows nothing
        ended = old.pop()  # and this one it has running
        self.assertEqual(p.call("DELETE", f"/v1/instances/{ended['id']}").status, 202)
        p.wait_state(ended["id"], "stopped")

        load = Load(p, [i["host"] for i in old + young])
        self.addCleanup(load.stop)
        self.nats.kill()
        self.nats.restore_copy()
        self.nats.start()
        self.started_within(BACK_SECONDS, "afterwards")
        for instance in old + young:
            now = p.instance(instance["id"])
            self.assertEqual((now["state"], now["host"], now["expires_at"]), ("running", instance["host"], instance["expires_at"]))
        self.assertEqual(p.instance(ended["id"])["state"], "stopped", "what had ended does not live again")
        self.assertIn("after the copy", [k.get("note") for k in p.call("GET", "/v1/keys").json["items"]])
        settings = {s["name"]: s for s in p.call("GET", "/v1/settings").json["items"]}
        self.assertEqual(settings["limits.per_owner"]["value"], "5")
        failed, served = load.stop()
        self.assertEqual(failed, [], f"of {served} requests of players")
        self.assertGreater(served, 0)
        # Starts during the outage may have been answered or refused; nobody has two.
        found = [c["Labels"]["poseidon.instance"] for c in p.engine.containers(p.cluster)]
        for instance in old + young:
            self.assertEqual(found.count(instance["id"]), 1, found)


class Load:
    """Players that ask all the time, and platforms that start."""

    def __init__(self, p, hosts):
        self.p, self.hosts, self.failed, self.served, self.ending = p, hosts, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.play), threading.Thread(target=self.begin)]
        for thread in self.threads:
            thread.start()

    def play(self):
        while not self.ending.is_set():
            for host in self.hosts:
                try:
                    reply = self.p.page(host)
                    if reply.status != 200:
                        self.failed.append(reply)
                except OSError as error:
                    self.failed.append(error)
                self.served += 1

    def begin(self):
        number = 0
        while not self.ending.is_set():
            number += 1
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.p.start_instance(user=f"load{number}", wait=None, timeout="5s")
            self.ending.wait(1)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
        return self.failed, self.served


if __name__ == "__main__":
    unittest.main()
