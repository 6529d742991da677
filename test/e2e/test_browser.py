"""A player's browser: opens the URL at once, waits, and ends on the challenge's page."""
from browser import Browser
from support import Case, wait_for


class Waiting(Case):
    def test_the_waiting_page_becomes_the_challenge_without_a_reload_by_hand(self):
        with Browser() as browser:
            instance = self.p.start_instance("slow", user="early", wait=None).json
            self.assertNotEqual(instance["state"], "running")
            browser.open(instance["url"])
            wait_for(lambda: "Not ready yet" in browser.text(), 10, "the waiting page")
            self.assertNotIn(instance["id"], browser.text())
            page = wait_for(lambda: instance["id"] in (text := browser.text()) and text, 30, "the challenge's own page with the instance's id")
            self.assertNotIn("Not ready yet", page)
            statuses = browser.statuses()
            self.assertEqual(statuses[0], 503, statuses)
            self.assertEqual(statuses[-1], 200, statuses)
            self.assertEqual(browser.evaluate("location.href"), instance["url"])
            self.assertEqual(self.p.instance(instance["id"])["state"], "running")

    def test_two_instances_are_two_origins_with_pages_of_their_own(self):
        first, second = self.p.running(user="first"), self.p.running(user="second")
        with Browser() as browser:
            for mine, other in ((first, second), (second, first)):
                browser.open(mine["url"])
                page = wait_for(lambda: mine["id"] in (text := browser.text()) and text, 10, "the instance's own page")
                self.assertNotIn(other["id"], page)

    def test_an_ended_instance_says_so(self):
        instance = self.p.running(user="ended")
        self.assertEqual(self.p.call("DELETE", f"/v1/instances/{instance['id']}").status, 202)
        with Browser() as browser:
            browser.open(instance["url"])
            wait_for(lambda: "Instance ended" in browser.text(), 10, "the page of an ended instance")
            self.assertIn("it was stopped", browser.text())
            self.assertEqual(browser.statuses(), [410])
