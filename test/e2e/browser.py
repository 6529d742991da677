"""A real browser, driven through the DevTools protocol over a pipe: what a player sees, and without a reload by hand."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from support import wait_for

NAMES = ("chromium-headless-shell", "chromium")


class Refused(Exception):
    """The browser answered a command with an error."""


class Browser:
    """One headless Chromium with one page."""

    def __init__(self):
        program = next((path for name in NAMES if (path := shutil.which(name))), None)
        if program is None:
            raise AssertionError(f"no browser: install one of {', '.join(NAMES)} (scripts/test does)")
        self.dir = tempfile.mkdtemp(prefix="poseidon-browser-")
        # Root in a container: no sandbox of its own, and /dev/shm is small there.
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                   "--remote-debugging-pipe", f"--user-data-dir={self.dir}", "about:blank"]
        (command_read, command_write), (reply_read, reply_write) = self.pipe(), self.pipe()
        self.log = open(f"{self.dir}/log", "wb")
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{command_read} 4>&{reply_write}', "_", program, *options],
                                        pass_fds=(command_read, reply_write), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        os.close(command_read)
        os.close(reply_write)
        self.commands, self.incoming = os.fdopen(command_write, "wb", 0), os.fdopen(reply_read, "rb", 0)
        self.replies, self.events, self.last = {}, [], 0
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")

    @staticmethod
    def pipe():
        """A pipe whose ends are clear of the numbers 3 and 4, which the browser will use."""
        ends = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
        for end in ends:
            os.close(end)
        return high

    def read(self):
        waiting = b""
        while piece := self.incoming.read(65536):
            waiting += piece
            *messages, waiting = waiting.split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.replies[message["id"]] = message
                else:
                    self.events.append(message)

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        reply = wait_for(lambda: self.replies.pop(message["id"], None) or self.ended(), 30, method)
        if "error" in reply:
            raise Refused(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def ended(self):
        if self.process.poll() is not None:
            with open(f"{self.dir}/log", errors="replace") as log:
                raise AssertionError("the browser ended: " + log.read()[-2000:])

    def open(self, url):
        return self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def text(self):
        """What stands on the page now; nothing while it is between two documents."""
        try:
            return self.evaluate("document.body ? document.title + '\\n' + document.body.innerText : ''") or ""
        except Refused as error:
            if "navigated" in str(error):
                return ""
            raise

    def statuses(self):
        """HTTP status of each document that the page has loaded, in order."""
        return [e["params"]["response"]["status"] for e in list(self.events)
                if e["method"] == "Network.responseReceived" and e["params"]["type"] == "Document"]

    def close(self):
        self.session = None
        with contextlib.suppress(Refused, AssertionError, OSError, subprocess.TimeoutExpired):
            self.call("Browser.close")
            self.process.wait(10)
        # What it started is in its session and holds the pipe: all ends here.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(10)
        for file in (self.commands, self.incoming, self.log):
            file.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
