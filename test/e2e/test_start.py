"""Starting: many at once, the same user at once, limits, stop and start."""
import unittest

from support import Case, Poseidon, at_once, wait_for


class Burst(Case):
    def check_burst(self, count, prefix):
        replies = at_once([lambda i=i: self.p.start_instance(user=f"{prefix}{i}") for i in range(count)])
        self.assertEqual([r for r in replies if r.status != 202 or r.json["state"] != "running"], [])
        hosts = {r.json["host"] for r in replies}
        self.assertEqual(len(hosts), count)
        pages = at_once([lambda r=r: (r.json["id"], self.p.page(r.json["host"])) for r in replies])
        ids = {r.json["id"] for r in replies}
        for ident, page in pages:
            self.assertEqual(page.status, 200, page)
            self.assertIn(ident, page.text)
            self.assertEqual([other for other in ids if other in page.text and other != ident], [])
        stopped = at_once([lambda i=i: self.p.call("DELETE", f"/v1/instances/{i}") for i in ids])
        self.assertEqual({r.status for r in stopped}, {202})
        for ident in ids:
            self.p.wait_state(ident, "stopped")

    def test_30_users_at_once_get_30_instances_of_their_own(self):
        self.check_burst(30, "burst")

    def test_100_at_once_none_fails(self):
        self.check_burst(100, "crowd")
        wait_for(lambda: not self.p.engine.objects(self.p.cluster), 20, "nothing is left behind")


class SameUser(Case):
    def test_20_concurrent_starts_make_one_instance(self):
        replies = at_once([lambda: self.p.start_instance(user="same") for _ in range(20)])
        self.assertEqual({r.status for r in replies} - {200, 202}, set())
        self.assertEqual(len({r.json["id"] for r in replies}), 1)
        self.assertEqual(len([c for c in self.p.engine.containers(self.p.cluster) if c["Labels"]["poseidon.owner"] == "user:same"]), 1)

    def test_stop_then_start_at_once(self):
        first = self.p.running(user="again")
        self.assertEqual(self.p.call("DELETE", f"/v1/instances/{first['id']}").status, 202)
        second = self.p.start_instance(user="again")
        self.assertEqual(second.status, 202, second)
        self.assertEqual(second.json["state"], "running", second)
        self.assertNotEqual(second.json["id"], first["id"])
        self.assertIn(second.json["id"], self.p.page(second.json["host"]).text)
        self.assertEqual(self.p.page(first["host"]).status, 410)

    def test_the_same_idempotency_key_gives_the_same_instance_and_another_body_is_refused(self):
        key = {"Idempotency-Key": "abc-1"}
        first = self.p.start_instance(user="idem", headers=key)
        again = self.p.start_instance(user="idem", headers=key)
        self.assertEqual(first.json["id"], again.json["id"])
        other = self.p.start_instance(user="idem-other", headers=key)
        self.assertEqual((other.status, other.json["code"]), (422, "idempotency_mismatch"))

    def test_a_reset_keeps_id_and_url(self):
        first = self.p.running(user="reset")
        before = self.p.engine.containers(self.p.cluster)
        reply = self.p.call("POST", f"/v1/instances/{first['id']}/reset")
        self.assertEqual(reply.status, 200, reply)
        after = wait_for(lambda: (i := self.p.instance(first["id"]))["state"] == "running" and self.p.page(i["host"]).status == 200 and i, 30, "running again")
        self.assertEqual(after["host"], first["host"])
        mine = [c["Id"] for c in self.p.engine.containers(self.p.cluster) if c["Labels"]["poseidon.instance"] == first["id"]]
        self.assertEqual(len(mine), 1)
        self.assertNotIn(mine[0], [c["Id"] for c in before])


class Limits(unittest.TestCase):
    def test_limits_hold_exactly_under_500_mixed_concurrent_requests(self):
        settings = {"limits": {"per_user": 1, "cluster": 12, "queue": 0}}
        with Poseidon(settings=settings) as p:
            def request(i):
                user = f"u{i % 25}"
                if i % 5 == 4:
                    return lambda: p.call("GET", f"/v1/instances?user={user}")
                challenge = "hello" if i % 2 else "brief"
                return lambda: p.start_instance(challenge, user=user, wait=None)

            seen = []
            for part in range(5):
                seen += at_once([request(part * 100 + i) for i in range(100)])
            codes = {r.json.get("code") for r in seen if r.status >= 400}
            self.assertLessEqual(codes, {"owner_limit_reached", "cluster_limit_reached"}, codes)
            live = [i for i in p.call("GET", "/v1/instances?limit=500").json["items"] if i["state"] in ("queued", "pending", "running", "stopping")]
            self.assertEqual(len(live), 12)
            owners = [i["owner"]["key"] for i in live]
            self.assertEqual(len(owners), len(set(owners)), "one an owner")


if __name__ == "__main__":
    unittest.main()
