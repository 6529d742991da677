"""Each thing that can go wrong is a documented error, and leaves nothing behind."""
import unittest

from support import Case, Poseidon, PrivateEngine, reference_image, wait_for


class Errors(Case):
    settings = {"api": {"body_limit": "64KiB"}}

    def failed(self, challenge, code, log=None):
        reply = self.p.start_instance(challenge, user=f"err-{challenge}")
        self.assertEqual(reply.status, 202, reply)
        self.assertEqual(reply.json["state"], "failed", reply)
        self.assertEqual(reply.json["failure"]["code"], code, reply)
        if log:
            self.assertIn(log, reply.json["failure"]["log_tail"])
        mine = [c for c in self.p.engine.containers(self.p.cluster) if c["Labels"]["poseidon.instance"] == reply.json["id"]]
        self.assertEqual(mine, [], "nothing is left behind")
        self.assertEqual(self.p.page(reply.json["host"]).status, 410)

    def problem(self, reply, status, code):
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.json["code"], code)
        self.assertEqual(reply.headers.get("Content-Type"), "application/problem+json")
        self.assertTrue(reply.json["detail"])

    def test_image_missing(self):
        self.failed("missing-image", "image_missing")

    def test_image_that_exits_at_once(self):
        self.failed("exits", "exited_at_start", "the reason stands here")

    def test_never_healthy(self):
        self.failed("deaf", "never_healthy")

    def test_node_without_room(self):
        reply = self.p.start_instance("large", wait=None)
        self.assertEqual((reply.status, reply.json["code"]), (503, "capacity_exhausted"), reply)
        self.assertIn("memory", reply.json["detail"])
        self.assertIn("Retry-After", reply.headers)

    def test_unknown_challenge(self):
        self.problem(self.p.start_instance("nope"), 404, "unknown_challenge")

    def test_bad_json(self):
        self.problem(self.p.call("POST", "/v1/instances", '{"challenge": ', headers={"Content-Type": "application/json"}), 400, "invalid_json")

    def test_every_bad_field_is_named_at_once(self):
        reply = self.p.call("POST", "/v1/instances", {"challenge": 7, "owner": {"usr": "x"}, "colour": 1})
        self.problem(reply, 422 if reply.status == 422 else 400, "invalid_field")
        paths = {e["path"] for e in reply.json["errors"]}
        self.assertLessEqual({"owner.usr", "colour"}, paths, reply)

    def test_oversize_body(self):
        self.problem(self.p.call("POST", "/v1/instances", b"x" * 100_000, headers={"Content-Type": "application/json"}), 413, "body_too_large")

    def test_wrong_key(self):
        self.problem(self.p.call("GET", "/v1/instances", key="wrong"), 401, "unauthenticated")

    def test_unknown_instance_and_path(self):
        self.problem(self.p.call("GET", "/v1/instances/nope"), 404, "unknown_instance")
        self.problem(self.p.call("GET", "/v1/nope"), 404, "not_found")
        self.problem(self.p.call("PUT", "/v1/instances"), 405, "method_not_allowed")

    def test_unknown_host_is_404(self):
        self.assertEqual(self.p.page("nobody.localhost").status, 404)

    def test_a_waiting_page_until_it_is_ready(self):
        reply = self.p.start_instance("slow", user="patient", wait=None)
        self.assertEqual(reply.status, 202)
        host = reply.json["host"]
        waiting = wait_for(lambda: (page := self.p.page(host, headers={"Accept": "text/html"})).status == 503 and page, 5, "a waiting page")
        self.assertIn("Retry-After", waiting.headers)
        self.assertIn("<html", waiting.text.lower())
        self.p.wait_state(reply.json["id"], "running")
        self.assertEqual(self.p.page(host).status, 200)


class EngineDown(unittest.TestCase):
    def test_engine_down_is_said_and_healed(self):
        engine = PrivateEngine(started=False)
        try:
            with Poseidon(engine=engine) as p:
                waiting = p.start_instance(wait=None)
                self.assertEqual((waiting.status, waiting.json["state"]), (202, "queued"), waiting)
                self.assertEqual(waiting.json["queue"]["position"], 1)
                self.assertEqual(p.call("GET", "/readyz").status, 503)
                self.assertIn("engine_unavailable", p.log())
                engine.start()
                reference_image(engine)
                # The image may come after the first attempt: the next start finds it.
                wait_for(lambda: p.call("GET", "/readyz").status == 200, 20, "ready once the engine is there")
                self.assertEqual(p.running(user="after")["state"], "running")
        finally:
            engine.close()

    def test_a_second_process_on_the_same_data_is_refused(self):
        with Poseidon() as p:
            first = p.process
            api, edge = p.api, p.edge
            p.api = p.edge = None
            p.start(expect_ready=False)
            self.assertNotEqual(p.process.wait(timeout=20), 0)
            p.process.stdout.close()
            self.assertIn("in use by process", p.log())
            p.process, p.api, p.edge = first, api, edge
            self.assertEqual(p.call("GET", "/healthz").status, 200)


class Neighbours(unittest.TestCase):
    def test_two_clusters_on_one_engine_never_touch_each_other(self):
        with Poseidon() as one, Poseidon() as two:
            mine, other = one.running(), two.running()
            self.assertEqual(two.call("POST", "/v1/gc").status, 200)
            self.assertEqual(two.call("DELETE", "/v1/instances?all=true").status, 202)
            two.wait_state(other["id"], "stopped")
            two.kill()
            self.assertIn(mine["id"], one.page(mine["host"]).text)
            self.assertEqual(one.instance(mine["id"])["state"], "running")


if __name__ == "__main__":
    unittest.main()
