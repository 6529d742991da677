"""The end at the deadline: exact, never early, whatever happens meanwhile."""
import http.client
import datetime
import pathlib
import time
import unittest

from support import Case, Poseidon, wait_for


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def gone_time(p, host):
    """When the page stopped answering, watched closely."""
    while True:
        try:
            if p.page(host, timeout=2).status != 200:
                return time.time()
        except (OSError, http.client.HTTPException):
            return time.time()


class Deadline(Case):
    def container_of(self, ident):
        return next((c for c in self.p.engine.containers(self.p.cluster) if c["Labels"]["poseidon.instance"] == ident), None)

    def test_unroutable_at_the_deadline_and_dead_within_a_second_though_pid_1_ignores_term(self):
        events = self.p.events()
        instance = self.p.running("stubborn", "ignores-term")
        pid = self.p.engine.inspect(self.container_of(instance["id"])["Id"])["State"]["Pid"]
        deadline = at(instance["expires_at"])
        self.assertAlmostEqual(deadline - at(instance["running_at"]), 4.0, delta=0.002)
        cut = gone_time(self.p, instance["host"])
        # expires_at comes from two clocks that are read in whole milliseconds, so it may name a moment up to one later than the deadline.
        self.assertGreaterEqual(cut, deadline - 0.001, "never early")
        self.assertLess(cut - deadline, 0.25, "unroutable at the deadline (with the time of one request)")
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists() or "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0], 3, "dead")
        self.assertLess(time.time() - deadline, 1.0, "dead within a second")
        event = events.wait("instance.expired", instance["id"])
        self.assertEqual(event["json"]["instance"]["reason"], "expired")
        page = self.p.page(instance["host"])
        self.assertEqual(page.status, 410)
        self.assertIn("expired", page.text)
        events.close()

    def test_extend_moves_the_deadline_and_says_when_it_is_refused(self):
        instance = self.p.running("brief", "extends")
        moved = self.p.call("POST", f"/v1/instances/{instance['id']}/extend")
        self.assertEqual(moved.status, 200, moved)
        self.assertAlmostEqual(at(moved.json["expires_at"]) - at(instance["expires_at"]), 3.0, delta=0.002)
        again = self.p.call("POST", f"/v1/instances/{instance['id']}/extend")
        self.assertEqual(again.status, 200, again)
        refused = self.p.call("POST", f"/v1/instances/{instance['id']}/extend")
        self.assertEqual((refused.status, refused.json["code"]), (409, "extension_refused"), "the sum is capped")
        fixed = self.p.running("hello", "no-early-extension")
        early = self.p.call("POST", f"/v1/instances/{fixed['id']}/extend")
        self.assertEqual((early.status, early.json["code"]), (409, "extension_refused"))
        cut = gone_time(self.p, instance["host"])
        self.assertGreaterEqual(cut, at(again.json["expires_at"]))


class AcrossCrashes(unittest.TestCase):
    def test_extended_then_killed_then_the_ledger_deleted_still_honoured(self):
        with Poseidon() as p:
            instance = p.running("brief", "survivor")
            moved = p.call("POST", f"/v1/instances/{instance['id']}/extend").json
            p.kill()
            for path in pathlib.Path(p.dir, "data").glob("ledger*"):
                path.unlink()
            p.start()
            again = wait_for(lambda: (i := p.instance(instance["id"])).get("state") == "running" and i, 10, "known again")
            self.assertEqual(again["host"], instance["host"])
            self.assertAlmostEqual(at(again["expires_at"]), at(moved["expires_at"]), delta=0.01)
            cut = gone_time(p, instance["host"])
            self.assertGreaterEqual(cut, at(moved["expires_at"]) - 0.002)
            self.assertLess(cut - at(moved["expires_at"]), 0.3)
            wait_for(lambda: not p.engine.objects(p.cluster), 10, "nothing is left behind")

    def test_what_expired_while_the_process_was_down_is_removed(self):
        with Poseidon() as p:
            instance = p.running("brief", "sleeper")
            p.kill()
            time.sleep(max(0.0, at(instance["expires_at"]) - time.time()))  # the deadline itself passes, not a guess
            p.start()
            ended = p.wait_state(instance["id"], "expired", 10)
            self.assertEqual(ended["reason"], "expired")
            wait_for(lambda: not p.engine.objects(p.cluster), 10, "nothing is left behind")


if __name__ == "__main__":
    unittest.main()
