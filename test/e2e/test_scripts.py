"""The README's commands: up, up again, down, beside whatever else runs on the engine."""
import http.client
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import uuid

from support import ROOT, Engine, free_port


class Scripts(unittest.TestCase):
    def setUp(self):
        self.engine = Engine()
        self.cluster = "scripts-" + uuid.uuid4().hex[:8]
        self.state = tempfile.mkdtemp(prefix="poseidon-scripts-")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("POSEIDON_", "DOCKER_"))}
        self.environment = {**kept, "POSEIDON_STATE": self.state, "POSEIDON_CLUSTER": self.cluster, "POSEIDON_ENGINE": self.engine.address,
                            "POSEIDON_API_LISTEN": "127.0.0.1:0", "POSEIDON_EDGE_LISTEN": "127.0.0.1:0"}

    def tearDown(self):
        if pathlib.Path(self.state, "serve.pid").exists():
            self.script("down")
        self.engine.sweep(self.cluster)
        shutil.rmtree(self.state, ignore_errors=True)

    def script(self, name, *arguments):
        done = subprocess.run([ROOT / "scripts" / name, *arguments], capture_output=True, text=True, env=self.environment, timeout=250)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def url(self, text):
        found = re.search(r"http://[0-9a-f]{20}\.localhost:\d+/", text)
        self.assertTrue(found, text)
        return found[0]

    def page(self, url):
        host, port = re.match(r"http://([^:]+):(\d+)/", url).groups()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": host})
            reply = connection.getresponse()
            self.assertEqual(reply.status, 200)
            return reply.read().decode()
        finally:
            connection.close()

    def test_up_again_and_down(self):
        first = self.script("up")
        url = self.url(first)
        pid = int(pathlib.Path(self.state, "serve.pid").read_text())
        page = self.page(url)
        [container] = self.engine.containers(self.cluster)
        self.assertIn(container["Labels"]["poseidon.instance"], page)

        second = self.script("up")
        self.assertIn("already running", second)
        self.assertEqual(self.url(second), url)
        self.assertEqual(len(self.engine.objects(self.cluster)), 1)

        self.script("down")
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists(), "the process is still there")
        self.assertEqual(self.engine.objects(self.cluster), [])
        self.assertFalse(pathlib.Path(self.state, "serve.pid").exists())

    def test_up_and_down_of_a_cluster(self):
        ports = [str(free_port()) for _ in range(5)]
        self.environment |= {"POSEIDON_CLUSTER_PORTS": " ".join(ports[:4]), "POSEIDON_NATS_PORT": ports[4]}
        self.addCleanup(lambda: any(pathlib.Path(self.state).glob("cluster/n?/serve.pid")) and self.script("down"))
        first = self.script("up", "--cluster")
        url = self.url(first)
        page = self.page(url)
        label, port = re.match(r"http://(\w+)\.localhost:(\d+)/", url).groups()
        self.assertIn(port, ports)
        for edge in (ports[1], ports[3]):
            self.assertEqual(self.page(f"http://{label}.localhost:{edge}/"), page, "each edge serves it")
        second = self.script("up", "--cluster")
        self.assertEqual(second.count("already running"), 2, second)
        self.assertEqual(self.url(second), url)
        pids = [int(pathlib.Path(self.state, "cluster", name).read_text()) for name in ("nats.pid", "n1/serve.pid", "n2/serve.pid", "n2/engine/docker.pid")]
        self.script("down")
        self.assertEqual([pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()], [])
        self.assertEqual(self.engine.objects(self.cluster), [])
        self.assertNotIn(self.state, pathlib.Path("/proc/mounts").read_text())
