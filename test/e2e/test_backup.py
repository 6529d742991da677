"""Backup and restore: one file from a running process, and everything back on a DATA that holds nothing else."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import threading
import unittest

from support import PROGRAM, Poseidon, at_once, wait_for


class Backup(unittest.TestCase):
    def restored(self, p, file):
        """Wipes DATA of a process that does not run, and makes it anew from the backup."""
        shutil.rmtree(f"{p.dir}/data")
        return self.restore(p, file)

    def restore(self, p, file):
        environment = {"PATH": os.environ["PATH"], "HOME": p.dir}
        return subprocess.run([PROGRAM, "restore", file, "--data", f"{p.dir}/data"], capture_output=True, text=True, env=environment, timeout=60)

    def test_everything_is_back_and_what_runs_is_adopted(self):
        p = Poseidon()
        self.addCleanup(p.close)
        p.start()
        before = [p.running(user=f"u{i}") for i in range(4)]
        key = p.call("POST", "/v1/keys", {"scopes": ["read"], "note": "kept"}).json
        self.assertEqual(p.call("PATCH", "/v1/settings", {"limits.per_owner": 7}).status, 200)
        file = f"{p.dir}/backup"
        # While more is started: the backup holds some of it, or none, and is whole all the same.
        more = threading.Thread(target=at_once, args=([lambda i=i: p.start_instance(user=f"more{i}") for i in range(8)],))
        more.start()
        made = p.cli("backup", file)
        more.join(60)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        look = p.cli("restore", "--look", "--json", file)
        self.assertEqual(look.returncode, 0, look.stderr)
        manifest = json.loads(look.stdout)
        self.assertEqual(manifest["cluster"], p.cluster)
        self.assertGreaterEqual(manifest["live_instances"], 4)

        gone = p.running(user="gone-meanwhile")  # after the backup: nothing of it comes back
        self.assertEqual(p.call("DELETE", f"/v1/instances/{gone['id']}").status, 202)
        p.kill()
        containers = {c["Id"]: c["Labels"]["poseidon.instance"] for c in p.engine.containers(p.cluster)}
        stopped = next(ident for ident, instance in containers.items() if instance == before[3]["id"])
        p.engine.call("DELETE", f"/containers/{stopped}?force=1")
        done = self.restored(p, file)
        self.assertEqual(done.returncode, 0, done.stderr)
        again = self.restore(p, file)
        self.assertNotEqual(again.returncode, 0, "a DATA that holds something is left alone")
        self.assertIn("not empty", again.stderr)
        p.start()

        self.assertEqual(p.call("GET", "/v1/instances?limit=1", key=key["key"]).status, 200, "the key is there")
        settings = {s["name"]: s for s in p.call("GET", "/v1/settings").json["items"]}
        self.assertEqual(settings["limits.per_owner"]["value"], "7")
        self.assertIn("hello", [c["id"] for c in p.call("GET", "/v1/challenges").json["items"]])
        for instance in before[:3]:
            now = p.wait_state(instance["id"], "running")
            self.assertEqual((now["host"], now["expires_at"]), (instance["host"], instance["expires_at"]))
            wait_for(lambda i=instance: i["id"] in p.page(i["host"]).text, 10, "the same instance under the same URL")
        self.assertEqual(p.wait_state(before[3]["id"], "lost")["state"], "lost", "what does not run any more has ended")
        found = [c["Labels"]["poseidon.instance"] for c in p.engine.containers(p.cluster) if c["Labels"]["poseidon.instance"] != "probe"]
        self.assertEqual(len(found), len(set(found)), "nothing is there twice")
        for instance in before[:3]:
            self.assertIn(instance["id"], found)
        self.assertEqual(p.running(user="u0")["id"], before[0]["id"], "the owner's instance is known")
        new = wait_for(lambda: (r := p.start_instance(user="afterwards")).status == 202 and r.json["state"] == "running" and r.json, 20, "starts are answered")
        self.assertEqual(p.call("DELETE", f"/v1/instances/{new['id']}").status, 202)

    def test_on_a_machine_of_another_name_the_old_node_does_not_hold_anything_up(self):
        with Poseidon() as p:
            before = p.running()
            file = f"{p.dir}/backup"
            self.assertEqual(p.cli("backup", file).returncode, 0)
            p.call("DELETE", f"/v1/instances/{before['id']}")
            wait_for(lambda: not p.engine.containers(p.cluster), 30, "it has ended")
            p.kill()
            self.assertEqual(self.restored(p, file).returncode, 0)
            p.node = "elsewhere"
            p.start()
            p.wait_state(before["id"], "lost")
            wait_for(lambda: p.start_instance(user="new").status in (200, 202), 20, "starts are answered")

    def test_a_damaged_file_is_refused_and_nothing_is_written(self):
        with Poseidon() as p:
            file = pathlib.Path(p.dir, "backup")
            self.assertEqual(p.cli("backup", str(file)).returncode, 0)
            bytes_ = bytearray(file.read_bytes())
            bytes_[len(bytes_) // 2] ^= 1
            file.write_bytes(bytes_)
            p.kill()
            refused = self.restored(p, str(file))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("checksum", refused.stderr)
            self.assertFalse(pathlib.Path(p.dir, "data").exists())

    def test_a_key_without_the_scope_gets_none(self):
        with Poseidon() as p:
            key = p.call("POST", "/v1/keys", {"scopes": ["platform"], "note": "x"}).json["key"]
            self.assertEqual(p.call("GET", "/v1/backup", key=key).status, 403)


if __name__ == "__main__":
    unittest.main()
