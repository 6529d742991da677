"""kill -9 of the process, death of a service, restart of the engine."""
import os
import signal
import threading
import unittest

from support import Poseidon, PrivateEngine, at_once, reference_image, wait_for


class Killed(unittest.TestCase):
    def test_killed_under_load_everything_is_adopted_and_nothing_doubled(self):
        with Poseidon() as p:
            ran = [p.running(user=f"before{i}") for i in range(5)]
            replies = []

            def start(i):
                try:
                    replies.append(p.start_instance(user=f"during{i}", wait=None))
                except OSError:
                    pass

            threads = [threading.Thread(target=start, args=(i,)) for i in range(20)]
            for t in threads:
                t.start()
            wait_for(lambda: len(replies) >= 8, 20, "some starts were answered")
            p.kill()
            for t in threads:
                t.join()
            p.start()
            for before in ran:
                after = p.instance(before["id"])
                self.assertEqual((after["state"], after["host"], after["expires_at"]), ("running", before["host"], before["expires_at"]))
                self.assertIn(before["id"], p.page(before["host"]).text)
            for reply in replies:
                self.assertEqual(reply.status, 202, reply)
                told = p.wait_state(reply.json["id"], "running")
                self.assertIn(told["id"], p.page(told["host"]).text, "a start that was answered is kept")
            live = [i for i in p.call("GET", "/v1/instances?limit=500").json["items"] if i["state"] in ("queued", "pending", "running")]
            for i in live:
                p.wait_state(i["id"], "running")
            slots = [c["Labels"]["poseidon.slot"] for c in p.engine.containers(p.cluster)]
            self.assertEqual(len(slots), len(set(slots)), "nothing is doubled")
            self.assertEqual({c["Labels"]["poseidon.instance"] for c in p.engine.containers(p.cluster)}, {i["id"] for i in live})
            p.call("DELETE", "/v1/instances?all=true")
            wait_for(lambda: not p.engine.objects(p.cluster), 30, "nothing is left behind")

    def test_sigterm_ends_in_order_and_leaves_containers_for_the_next_start(self):
        with Poseidon() as p:
            before = p.running()
            self.assertEqual(p.stop(), 0)
            self.assertEqual(len(p.engine.containers(p.cluster, running_only=True)), 1)
            p.start()
            self.assertEqual(p.instance(before["id"])["state"], "running")
            self.assertIn(before["id"], p.page(before["host"]).text)


class Services(unittest.TestCase):
    def test_a_service_that_dies_is_started_again_in_the_same_place(self):
        with Poseidon() as p:
            before = p.running()
            container = p.engine.containers(p.cluster)[0]["Id"]
            pid = p.engine.inspect(container)["State"]["Pid"]
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: p.engine.inspect(container)["State"]["Pid"] not in (0, pid), 10, "a new process in the same container")
            after = p.wait_state(before["id"], "running", 10)
            self.assertEqual((after["host"], after["expires_at"]), (before["host"], before["expires_at"]))
            wait_for(lambda: p.page(before["host"]).status == 200, 10, "served again")

    def check_engine_restart(self, live_restore):
        engine = PrivateEngine(live_restore)
        try:
            reference_image(engine)
            with Poseidon(engine=engine) as p:
                ran = [p.running(user=f"u{i}") for i in range(4)]
                engine.kill()
                if live_restore:
                    for i in ran:
                        self.assertEqual(p.page(i["host"]).status, 200, "served while the engine is down")
                engine.start()
                for i in ran:
                    after = p.wait_state(i["id"], "running", 30)
                    self.assertEqual((after["host"], after["expires_at"]), (i["host"], i["expires_at"]))
                    wait_for(lambda: p.page(i["host"]).status == 200 and i["id"] in p.page(i["host"]).text, 30, "served again")
                at_once([lambda i=i: p.call("DELETE", f"/v1/instances/{i['id']}") for i in ran])
                wait_for(lambda: not engine.objects(p.cluster), 30, "nothing is left behind")
        finally:
            engine.close()

    def test_engine_killed_and_restarted_with_live_restore(self):
        self.check_engine_restart(True)

    def test_engine_killed_and_restarted_without_live_restore(self):
        self.check_engine_restart(False)


if __name__ == "__main__":
    unittest.main()
