"""Webhooks and Discord channels: signed, in order per instance, through outages of the receiver and of Poseidon itself."""
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time
import unittest
import uuid

from support import CHALLENGES, PROGRAM, Poseidon, wait_for
from test_nats import NatsServer

SECRET = "a secret of sixteen characters and more"


def signature_fits(header, body, secret=SECRET, tolerance=300):
    """As docs/notifications.md tells receivers to do it."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    wanted = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) <= tolerance


class Receiver:
    """A receiver that writes down what it takes, and can be away."""

    def __init__(self, judge=lambda request: (200, {})):
        self.judge = judge
        self.taken = []
        self.asked = 0
        self.lock = threading.Lock()
        self.server = None
        self.port = 0
        self.open()

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = {"path": self.path, "headers": dict(self.headers), "body": body, "json": json.loads(body), "at": time.monotonic()}
                with receiver.lock:
                    receiver.asked += 1
                    status, headers = receiver.judge(request)
                    if status < 300:
                        receiver.taken.append(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Nobody listens: connections are refused."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hooks/poseidon?room=1"

    def events(self):
        with self.lock:
            return [request["json"] for request in self.taken]

    def of(self, instance):
        return [event for event in self.events() if (event["instance"] or {}).get("id") == instance]

    def has(self, instance, kind):
        return any(event["type"] == kind for event in self.of(instance))


def place_of(event):
    """Where an event stands: its id is "<incarnation>-<sequence>[.<n>]"."""
    place, _, number = event["id"].partition(".")
    return [int(part) for part in place.split("-")] + [int(number or 0)]


def webhook(name, receiver, **more):
    return {"name": name, "type": "webhook", "url": receiver.url, "secret": SECRET, **more}


class Webhooks(unittest.TestCase):
    def test_every_event_arrives_signed_once_and_in_order_through_outages_of_receiver_and_poseidon(self):
        ops, other = Receiver(), Receiver()
        settings = {"notify": {"receivers": [webhook("ops", ops), webhook("other", other)], "longest_retry": "1s"}}
        with Poseidon(settings=settings) as p:
            stream = p.events()
            first = p.running(user="first")["id"]
            wait_for(lambda: ops.has(first, "instance.running"), 10, "the webhook is told")
            seen = stream.wait("instance.running", first)["json"]
            told = next(event for event in ops.of(first) if event["type"] == "instance.running")
            for changing in ("remaining_ms", "extension", "progress"):
                seen["instance"].pop(changing), told["instance"].pop(changing)
            self.assertEqual(told, seen, "an event reads the same everywhere")

            ops.close()
            users = [p.running(user=f"away{i}")["id"] for i in range(3)]
            for ident in users:
                wait_for(lambda i=ident: other.has(i, "instance.running"), 10, "the other receiver is not held up")
            p.call("DELETE", f"/v1/instances/{users[0]}")
            p.wait_state(users[0], "stopped")
            shown = wait_for(lambda: (r := {r["name"]: r for r in p.call("GET", "/v1/notifications").json["items"]})["ops"]["pending"] > 5 and r, 10, "what waits is told")
            self.assertEqual(shown["ops"]["state"], "failing")
            self.assertIn("refused", shown["ops"]["last_error"])
            self.assertEqual(shown["other"]["state"], "ok")
            metrics = p.call("GET", "/metrics").text
            self.assertIn('poseidon_notifications_failing{receiver="ops"} 1', metrics)
            self.assertIn('poseidon_notifications_total{receiver="other",result="delivered"}', metrics)
            before = [event["json"] for event in list(stream.seen) if event["json"]["type"].startswith("instance.") and "id" in event]
            stream.close()

            p.kill()
            p.start()
            after = p.running(user="after")["id"]
            p.call("DELETE", f"/v1/instances/{users[1]}")
            p.wait_state(users[1], "stopped")
            ops.open()
            wait_for(lambda: ops.has(after, "instance.running") and ops.has(users[1], "instance.stopped"), 20, "all that waited arrives")
            wait_for(lambda: p.call("GET", "/v1/notifications").json["items"][0]["pending"] == 0, 10, "nothing is pending")

            ids = [event["id"] for event in ops.events()]
            self.assertEqual(len(ids), len(set(ids)), "each once")
            self.assertLessEqual({event["id"] for event in before}, set(ids), "what the stream showed, the webhook was told")
            self.assertEqual(sorted(ids), sorted(event["id"] for event in other.events()), "both were told the same")
            for ident in [first, *users, after]:
                places = [place_of(event) for event in ops.of(ident)]
                self.assertEqual(places, sorted(places), "in order per instance")
                self.assertEqual(ops.of(ident)[0]["type"], "instance.pending")
            for ident in users[:2]:
                self.assertEqual(ops.of(ident)[-1]["type"], "instance.stopped")
            for request in ops.taken:
                headers = request["headers"]
                self.assertTrue(signature_fits(headers["Poseidon-Signature"], request["body"]))
                self.assertFalse(signature_fits(headers["Poseidon-Signature"], request["body"], "another secret"))
                self.assertFalse(signature_fits(headers["Poseidon-Signature"], request["body"] + b" "))
                self.assertEqual(headers["Poseidon-Event-Id"], request["json"]["id"])
                self.assertEqual(headers["Poseidon-Event-Type"], request["json"]["type"])
                self.assertGreaterEqual(int(headers["Poseidon-Delivery-Attempt"]), 1)
                self.assertEqual(request["path"], "/hooks/poseidon?room=1")
            self.assertNotIn(SECRET, p.log())
            self.assertEqual(p.stop(), 0)
        ops.close(), other.close()

    def test_filters_dead_letters_and_replay(self):
        strict = Receiver(lambda request: (404, {}))
        failures = Receiver()
        settings = {"notify": {"receivers": [webhook("strict", strict, events=["instance.running"], challenges=["hel*"]),
                                             webhook("failures", failures, events="instance.failed")]}}
        with Poseidon(settings=settings) as p:
            ident = p.running(user="alice")["id"]
            p.start_instance("exits", user="bob", wait="ended")
            event = wait_for(failures.events, 10, "the failure is told")
            self.assertEqual([e["type"] for e in event], ["instance.failed"])
            self.assertEqual(event[0]["instance"]["failure"]["code"], "exited_at_start")
            dead = wait_for(lambda: p.call("GET", "/v1/notifications/dead").json["items"], 10, "a refused event is a dead letter")
            self.assertEqual([(d["receiver"], d["type"], d["instance"], d["attempts"]) for d in dead], [("strict", "instance.running", ident, 1)])
            self.assertIn("404", dead[0]["reason"])
            shown = json.loads(p.cli("notifications", "dead", "--json").stdout)
            self.assertEqual(shown["items"], dead)
            self.assertIn("strict", p.cli("notifications", "ls").stdout)
            self.assertEqual(p.cli("notifications", "replay", "4711").returncode, 4)
            self.assertEqual(p.cli("notifications", "replay").returncode, 2)
            strict.judge = lambda request: (204, {})
            replay = p.cli("notifications", "replay", dead[0]["id"])
            self.assertEqual((replay.returncode, replay.stdout), (0, "1 sent again\n"))
            wait_for(lambda: strict.has(ident, "instance.running"), 10, "it is delivered after all")
            self.assertEqual(p.call("GET", "/v1/notifications/dead").json["items"], [])
            self.assertEqual(p.call("POST", "/v1/notifications/dead/replay?all=true").json, {"replayed": 0})
            reader = p.call("POST", "/v1/keys", {"scopes": ["read"]}).json["key"]
            self.assertEqual(p.call("GET", "/v1/notifications", key=reader).status, 403)
        strict.close(), failures.close()


class OnNats(unittest.TestCase):
    def test_nothing_is_missed_when_the_process_dies_and_when_the_log_is_lost(self):
        nats, ops = NatsServer(), Receiver()
        self.addCleanup(nats.close)
        settings = {"nats": {"urls": [nats.url]}, "notify": {"receivers": [webhook("ops", ops)], "longest_retry": "1s"}}
        with Poseidon(settings=settings) as p:
            first = p.running(user="first")["id"]
            wait_for(lambda: ops.has(first, "instance.running"), 10, "the webhook is told")
            ops.close()
            second = p.running(user="second")["id"]
            p.kill()
            p.start()
            p.call("DELETE", f"/v1/instances/{first}")
            p.wait_state(first, "stopped")
            ops.open()
            wait_for(lambda: ops.has(first, "instance.stopped") and ops.has(second, "instance.running"), 20, "all that waited arrives")
            nats.kill()
            nats.wipe()
            nats.start()
            wait_for(lambda: p.start_instance(user="third").json.get("state") == "running", 20, "starts are answered on the new log")
            third = p.start_instance(user="third").json["id"]
            p.call("DELETE", f"/v1/instances/{second}")
            p.wait_state(second, "stopped")
            wait_for(lambda: ops.has(third, "instance.running") and ops.has(second, "instance.stopped"), 20, "it goes on with the new log")
            ids = [event["id"] for event in ops.events()]
            self.assertEqual(len(ids), len(set(ids)), "each once")
            for ident, kinds in ((first, ["pending", "running", "stopped"]), (second, ["pending", "running", "stopped"]), (third, ["pending", "running"])):
                told = ops.of(ident)
                self.assertEqual([e["type"].split(".")[1] for e in told if e["type"] != "instance.stopping"], kinds)
                self.assertEqual([place_of(e) for e in told], sorted(place_of(e) for e in told))
            self.assertTrue(ops.of(third)[0]["id"].startswith("2-"), "a new log begins a new count")
        ops.close()


class SharedByTwo(unittest.TestCase):
    """Two notifier processes, one of them killed: its part passes to the other, and comes back with it."""

    def test_a_killed_notifiers_part_passes_to_the_other_and_nothing_is_lost(self):
        nats, ops = NatsServer(), Receiver()
        self.addCleanup(nats.close)
        self.addCleanup(ops.close)
        cluster = "e2e-" + uuid.uuid4().hex[:10]
        folder = Poseidon(cluster=cluster)
        self.addCleanup(folder.close)
        made = subprocess.run([PROGRAM, "cluster", "init", "--nats", nats.url, "--cluster", cluster, "--data", f"{folder.dir}/init", "--quiet"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(made.returncode, 0, made.stderr)

        def member(name, roles, notify=None):
            p = Poseidon(cluster=cluster, node=name, challenges=CHALLENGES if "gateway" in roles else {},
                         settings={"roles": roles, "membership": {"suspect_after": "2s", "lost_after": "4s"}, "notify": notify or {},
                                   "edge": {"link_dir": f"{folder.dir}/edges"}})
            joined = subprocess.run([PROGRAM, "join", "-", "--data", f"{p.dir}/data"], input=made.stdout, capture_output=True, text=True, timeout=30)
            self.assertEqual(joined.returncode, 0, joined.stderr)
            self.addCleanup(p.close)
            return p.start()

        main = member("na", ["gateway", "node", "edge"])
        told = {"receivers": [webhook("ops", ops)], "longest_retry": "1s"}
        first, second = member("tell-1", ["notifier"], told), member("tell-2", ["notifier"], told)
        for p in (first, second):
            wait_for(lambda p=p: "ops is told by tell-1, tell-2" in p.log(), 30, "they know each other")

        def batch(tag, count=8):
            return [main.running(user=f"{tag}{n}")["id"] for n in range(count)]

        def all_told(idents, kind="instance.running"):
            return all(ops.has(i, kind) for i in idents)

        before = batch("before")
        wait_for(lambda: all_told(before), 20, "both tell")
        second.kill()
        during = batch("during")
        for ident in before[:4]:
            main.call("DELETE", f"/v1/instances/{ident}")
            main.wait_state(ident, "stopped")
        wait_for(lambda: all_told(during) and all_told(before[:4], "instance.stopped"), 30, "the other one tells of everything")
        second.start()
        wait_for(lambda: first.log().count("ops is told by tell-1, tell-2") >= 2, 30, "it is back")
        after = batch("after")
        for ident in before[4:] + during:
            main.call("DELETE", f"/v1/instances/{ident}")
            main.wait_state(ident, "stopped")
        wait_for(lambda: all_told(after) and all_told(before + during, "instance.stopped"), 30, "everything arrives")
        for ident in before + during + after:
            seen, places = set(), []
            for event in ops.of(ident):
                if event["id"] not in seen:  # as a receiver does that keeps the ids it has seen
                    seen.add(event["id"])
                    places.append(place_of(event))
            self.assertEqual(places, sorted(places), "in order per instance")
            self.assertEqual(ops.of(ident)[0]["type"], "instance.pending")

class Discord(unittest.TestCase):
    def test_a_channel_gets_embeds_in_order_and_its_rate_limit_is_kept(self):
        busy = [0]

        def judge(request):
            if channel.asked == 1:
                busy[0] = time.monotonic()
                return 429, {"Retry-After": "0.7"}
            return 204, {}

        channel = Receiver(judge)
        settings = {"notify": {"receivers": [{"name": "chat", "type": "discord", "url": channel.url}]}}
        with Poseidon(settings=settings) as p:
            instance = p.running(challenge="brief", user="alice", user_name="*Alice*", team="red")
            wait_for(lambda: channel.taken, 10, "the channel is told")
            self.assertGreaterEqual(channel.taken[0]["at"] - busy[0], 0.69, "not before the time that Discord named")
            self.assertEqual(p.call("POST", f"/v1/instances/{instance['id']}/extend").status, 200)
            p.wait_state(instance["id"], "expired")
            p.start_instance("exits", user="bob", wait="ended")
            wait_for(lambda: len(channel.taken) >= 4, 10, "running, extended, expired, failed")
            embeds = [request["json"]["embeds"][0] for request in channel.taken]
            self.assertEqual([embed["title"] for embed in embeds], ["brief running", "brief extended", "brief expired", "exits failed"])
            fields = {field["name"]: field["value"] for field in embeds[0]["fields"]}
            self.assertEqual(fields["Owner"], "red (\\*Alice\\*)")
            self.assertEqual(fields["URL"], instance["url"])
            self.assertRegex(fields["Expires"], r"^<t:\d+:R>$")
            self.assertEqual(embeds[0]["footer"]["text"], instance["id"])
            failure = {field["name"]: field["value"] for field in embeds[3]["fields"]}
            self.assertIn("the reason stands here", failure["Failure"])
            for request in channel.taken:
                self.assertEqual(request["json"]["allowed_mentions"], {"parse": []})
                self.assertNotIn("Poseidon-Signature", request["headers"])
            self.assertEqual(len({embed["color"] for embed in embeds}), 4)
            self.assertNotIn("/hooks/", p.log(), "the address is a secret")
        channel.close()


if __name__ == "__main__":
    unittest.main()
