"""Logs: live, kept after the end where captured, bounded, and forgotten in time."""
import pathlib
import unittest

from support import Poseidon, wait_for

TALKS = """
image: poseidon/hello:1
instance:
  command: ["/bin/sh", "-c", "echo the first line; i=0; while [ $i -lt 400 ]; do echo line $i of the middle part; i=$((i+1)); done; echo the last line; exec /bin/sh /start"]
  ports: [{port: 8000}]
"""
CHALLENGES = {"hello": None, "talks": TALKS, "kept": TALKS + "  capture_logs: true\n", "brief": TALKS + "  capture_logs: true\n  lifetime: 3s\n"}


class KeptLogs(unittest.TestCase):
    def logs(self, p, instance, query=""):
        return p.call("GET", f"/v1/instances/{instance['id']}/logs{query}")

    def end(self, p, instance):
        self.assertEqual(p.call("DELETE", f"/v1/instances/{instance['id']}").status, 202)
        p.wait_state(instance["id"], "stopped")

    def test_logs_of_a_challenge_that_wants_it_are_kept_bounded_and_survive_a_crash(self):
        with Poseidon(settings={"capture": {"limit": "4KiB"}}, challenges=CHALLENGES) as p:
            kept, plain = p.running("kept"), p.running("talks")
            live = wait_for(lambda: "the last line" in (text := self.logs(p, kept).text) and text, 10, "live logs")
            self.assertIn("the first line", live)
            self.end(p, kept)
            after = self.logs(p, kept)
            self.assertEqual(after.status, 200, after)
            self.assertIn("the last line", after.text)
            self.assertNotIn("the first line", after.text)
            self.assertLessEqual(len(after.body), 4096)
            self.assertTrue(live.endswith(after.text), "the end of what was live")
            self.assertEqual(self.logs(p, kept, "?tail=1").text, live.splitlines()[-1] + "\n")
            self.end(p, plain)
            refused = self.logs(p, plain)
            self.assertEqual((refused.status, refused.json["code"]), (404, "not_captured"), refused)
            p.kill()
            p.start()
            self.assertEqual(self.logs(p, kept).text, after.text)
            self.assertEqual([f.name for f in pathlib.Path(p.dir, "data/logs").iterdir()], [f"{kept['id']}.log"])

    def test_logs_of_an_expired_instance_are_kept_when_all_are_and_forgotten_in_time(self):
        with Poseidon(settings={"capture": {"enabled": True, "keep": "3s"}}, challenges=CHALLENGES) as p:
            brief, hello = p.running("brief"), p.running("hello")
            p.wait_state(brief["id"], "expired")
            self.assertEqual(p.page(brief["host"]).status, 410)
            self.assertIn("the last line", self.logs(p, brief).text)
            self.end(p, hello)
            self.assertEqual(self.logs(p, hello).status, 200)
            folder = pathlib.Path(p.dir, "data/logs")
            wait_for(lambda: not list(folder.iterdir()), 20, "kept logs are forgotten")
            for instance in (brief, hello):
                self.assertEqual(self.logs(p, instance).json["code"], "not_captured")
            wait_for(lambda: not p.engine.objects(p.cluster), 10, "nothing is left in the engine")


if __name__ == "__main__":
    unittest.main()
