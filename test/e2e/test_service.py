"""Run as a service: what systemd is told, the unit, the edge's own address, settings that change while it runs."""
import http.client
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest
import uuid

from support import ROOT, Poseidon, free_port, wait_for


class Notify(unittest.TestCase):
    def told(self, service_manager, seconds=20):
        service_manager.settimeout(seconds)
        return service_manager.recv(4096).decode().strip()

    def check(self, address, name):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
            service_manager.bind(address)
            with Poseidon(environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "500000"}) as p:
                self.assertEqual(self.told(service_manager), "READY=1")
                self.assertEqual(p.call("GET", "/healthz", key="").status, 200, "ready means that it answers")
                for _ in range(3):
                    self.assertEqual(self.told(service_manager, 5), "WATCHDOG=1")
                p.process.terminate()
                while (state := self.told(service_manager)) == "WATCHDOG=1":
                    pass
                self.assertEqual(state, "STOPPING=1")
                self.assertEqual(p.process.wait(30), 0)
                p.process.stdout.close()

    def test_ready_watchdog_and_stopping_are_said_on_a_socket_with_a_path(self):
        folder = tempfile.mkdtemp(prefix="poseidon-notify-")
        self.addCleanup(shutil.rmtree, folder)
        self.check(f"{folder}/notify", f"{folder}/notify")

    def test_and_on_an_abstract_one(self):
        name = "poseidon-" + uuid.uuid4().hex
        self.check("\0" + name, "@" + name)

    def test_no_watchdog_no_feeding(self):
        name = "poseidon-" + uuid.uuid4().hex
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service_manager:
            service_manager.bind("\0" + name)
            with Poseidon(environment={"NOTIFY_SOCKET": "@" + name}) as p:
                self.assertEqual(self.told(service_manager), "READY=1")
                p.process.terminate()
                self.assertEqual(self.told(service_manager), "STOPPING=1")
                self.assertEqual(p.process.wait(30), 0)
                p.process.stdout.close()


class Unit(unittest.TestCase):
    def test_systemd_finds_no_fault_in_the_unit(self):
        if shutil.which("systemd-analyze") is None:
            self.fail("systemd-analyze is missing: install systemd (scripts/test does; nothing of it is started)")
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, "poseidon.service")
            text = (ROOT / "config/systemd/poseidon.service").read_text()
            self.assertIn("Type=notify", text)
            unit.write_text(text.replace("/usr/local/bin/poseidon", "/bin/true"))  # not installed where tests run
            verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
        complaints = [line for line in verified.stderr.splitlines() if "poseidon" in line]
        self.assertEqual((verified.returncode, complaints), (0, []), verified.stderr)


class EdgeAddress(unittest.TestCase):
    def get(self, address, path, method="GET"):
        host, port = address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def test_healthz_on_an_address_of_its_own(self):
        address = "127.0.0.1:%d" % free_port()
        with Poseidon(settings={"edge": {"admin_listen": [address]}}) as p:
            self.assertEqual(self.get(address, "/healthz"), (200, b'{"status":"ok"}'))
            self.assertEqual(self.get(address, "/v1/instances")[0], 404)
            self.assertEqual(self.get(address, "/healthz", "POST")[0], 405)
            self.assertEqual(p.stop(), 0)
            with self.assertRaises(OSError):
                self.get(address, "/healthz")

    def test_an_address_in_use_ends_the_start_with_words(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            p = Poseidon(settings={"edge": {"admin_listen": [address]}})
            try:
                p.start(expect_ready=False)
                self.assertNotEqual(p.process.wait(30), 0)
                self.assertIn(address, p.log())
            finally:
                p.process.stdout.close()
                p.close()


class LiveSettings(unittest.TestCase):
    def test_the_log_level_changes_at_once_and_holds_after_a_restart(self):
        with Poseidon() as p:
            self.assertIn("info", p.log())
            changed = p.call("PATCH", "/v1/settings", {"log.level": "error"})
            self.assertEqual(changed.status, 200, changed)
            wait_for(lambda: "log level: error" in p.log(), 5, "the level is applied")
            self.assertEqual(p.stop(), 0)
            self.assertNotIn("ending", p.log())
            before = len(p.log())
            p.start()
            wait_for(lambda: "log level: error" in p.log()[before:], 5, "the level holds after a restart")
            self.assertEqual(p.call("PATCH", "/v1/settings", {"log.level": "info"}).status, 200)
            wait_for(lambda: "log level: info" in p.log(), 5, "the level is applied")
            self.assertEqual(p.stop(), 0)
            self.assertIn("ending", p.log())


if __name__ == "__main__":
    unittest.main()
