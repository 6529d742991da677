#!/usr/bin/env python3
"""Start to first answered request, burst and stop, on the real engine: Poseidon against the same raw Engine calls by hand,
interleaved in one run. Prints figure, reference, ratio, goal; --json for programs."""
import concurrent.futures
import ctypes
import json
import os
import pathlib
import socket
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test/e2e"))
from support import Engine, Poseidon  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
ROUNDS, BURST = 20, 32
BODY = {"Image": "poseidon/hello:1", "NetworkDisabled": True, "Env": ["POSEIDON_INSTANCE=raw"], "Labels": {"poseidon.bench": "raw"},
        "HostConfig": {"NetworkMode": "none", "Memory": 64 << 20, "MemorySwap": 64 << 20, "NanoCpus": 500_000_000, "PidsLimit": 64,
                       "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}}


def answered_inside(pid, port):
    """True once the service answers a request in the namespace of this pid; in a thread of its own, which stays there."""
    done = []

    def run():
        with open(f"/proc/{pid}/ns/net") as ns:
            if LIBC.setns(ns.fileno(), 0x40000000) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as s:
                    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if s.recv(1):
                        return done.append(True)
            except OSError:
                time.sleep(0.002)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return bool(done)


def raw_start(engine):
    status, reply = engine.call("POST", "/containers/create", json.dumps(BODY), {"Content-Type": "application/json"})
    assert status == 201, reply
    ident = json.loads(reply)["Id"]
    engine.call("POST", f"/containers/{ident}/start")
    assert answered_inside(engine.inspect(ident)["State"]["Pid"], 8000)
    return ident


def timed(call):
    began = time.monotonic()
    value = call()
    return (time.monotonic() - began) * 1000, value


def poseidon_start(p, user):
    instance = p.running(user=user)
    assert p.page(instance["host"]).status == 200
    return instance["id"]


def poseidon_stop(p, ident):
    p.call("DELETE", f"/v1/instances/{ident}")
    while p.instance(ident)["state"] == "stopping":
        time.sleep(0.002)


def cpu_ms(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main():
    engine, rows = Engine(), []
    began = time.monotonic()
    with Poseidon() as p:
        rows.append(("process start until ready", (time.monotonic() - began) * 1000, "ms", None, 300))
        poseidon_start(p, "warm-up")
        ours, raw, ours_stop, raw_stop = [], [], [], []
        cpu = cpu_ms(p.process.pid)
        for i in range(ROUNDS):
            took, ident = timed(lambda: poseidon_start(p, f"u{i}"))
            ours.append(took)
            ours_stop.append(timed(lambda: poseidon_stop(p, ident))[0])
            took, ident = timed(lambda: raw_start(engine))
            raw.append(took)
            raw_stop.append(timed(lambda: engine.call("DELETE", f"/containers/{ident}?force=1"))[0])
        cpu = (cpu_ms(p.process.pid) - cpu) / ROUNDS
        rows.append(("start to first answer, p50, against raw calls", statistics.median(ours), "ms", statistics.median(raw), 1.10))
        rows.append(("stop until gone, p50, against raw removal", statistics.median(ours_stop), "ms", statistics.median(raw_stop), 1.10))
        rows.append(("own CPU per start and stop", cpu, "ms", None, 3))
        with concurrent.futures.ThreadPoolExecutor(BURST) as pool:
            took, idents = timed(lambda: list(pool.map(lambda i: poseidon_start(p, f"b{i}"), range(BURST))))
            list(pool.map(lambda i: poseidon_stop(p, i), idents))
            raw_took, idents = timed(lambda: list(pool.map(lambda _: raw_start(engine), range(BURST))))
            list(pool.map(lambda i: engine.call("DELETE", f"/containers/{i}?force=1"), idents))
        rows.append((f"burst of {BURST} starts, against the same raw burst", BURST / took * 1000, "1/s", BURST / raw_took * 1000, 0.95))
    for name, figure, unit, reference, goal in rows:
        ratio = figure / reference if reference else None
        if "--json" in sys.argv:
            print(json.dumps({"name": name, "figure": figure, "unit": unit, "reference": reference, "ratio": ratio, "goal": goal}))
        else:
            against = f"reference {reference:9.1f}  ratio {ratio:5.2f}" if reference else " " * 32
            print(f"{name:52} {figure:9.1f} {unit:4} {against}  goal {goal}")


if __name__ == "__main__":
    main()
