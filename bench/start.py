#!/usr/bin/env python3
"""The real program on the real engine, against the same Engine calls by hand, interleaved in one run.

start.py [PART...] [--json] [--list]: exits 1 when a part failed, 2 when a goal was missed."""
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
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test/e2e"))
from support import Engine, Poseidon  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
ROUNDS, CPU_ROUNDS, BURST = 20, 40, 32
NETWORK = "poseidon-bench"
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


def raw_start(engine, body=None):
    status, reply = engine.call("POST", "/containers/create", json.dumps(body or BODY), {"Content-Type": "application/json"})
    assert status == 201, reply
    ident = json.loads(reply)["Id"]
    status, reply = engine.call("POST", f"/containers/{ident}/start")
    assert status == 204, reply
    assert answered_inside(engine.inspect(ident)["State"]["Pid"], 8000)
    return ident


def raw_stop(engine, ident):
    engine.call("DELETE", f"/containers/{ident}?force=1")


def on_bridge():
    """The same container, on a user-defined bridge."""
    host = {**BODY["HostConfig"], "NetworkMode": NETWORK}
    return {**{k: v for k, v in BODY.items() if k != "NetworkDisabled"}, "HostConfig": host}


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
    ended = p.call("GET", f"/v1/instances/{ident}?wait=ended&timeout=30s").json
    assert ended["state"] == "stopped", ended


def processes(p):
    """The program's own: itself, and the dialer it forked."""
    pid = p.process.pid
    return [pid] + [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_ms(p):
    ticks = 0
    for pid in processes(p):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    line = next(x for x in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def start(engine):
    """Start and stop of one instance at a time."""
    engine.call("DELETE", f"/networks/{NETWORK}")
    status, reply = engine.call("POST", "/networks/create", json.dumps({"Name": NETWORK, "CheckDuplicate": True, "Driver": "bridge"}),
                                {"Content-Type": "application/json"})
    assert status == 201, reply
    took = {name: [] for name in ("ours", "raw", "bridge", "ours_stop", "raw_stop")}
    try:
        with Poseidon() as p:
            poseidon_stop(p, poseidon_start(p, "warm-up"))
            for body in (BODY, on_bridge()):
                raw_stop(engine, raw_start(engine, body))
            for i in range(ROUNDS):
                ms, ident = timed(lambda: poseidon_start(p, f"u{i}"))
                took["ours"].append(ms)
                took["ours_stop"].append(timed(lambda: poseidon_stop(p, ident))[0])
                ms, ident = timed(lambda: raw_start(engine))
                took["raw"].append(ms)
                took["raw_stop"].append(timed(lambda: raw_stop(engine, ident))[0])
                ms, ident = timed(lambda: raw_start(engine, on_bridge()))
                took["bridge"].append(ms)
                raw_stop(engine, ident)
    finally:
        engine.call("DELETE", f"/networks/{NETWORK}")
    p50 = {name: statistics.median(values) for name, values in took.items()}
    return [("start to first answer, p50, against raw calls", p50["ours"], "ms", p50["raw"], min(1.10, 1 + 5 / p50["raw"])),
            ("start to first answer, p50, against a user bridge", p50["ours"], "ms", p50["bridge"], 0.4),
            ("stop until gone, p50, against raw removal", p50["ours_stop"], "ms", p50["raw_stop"], 1.10)]


def burst(engine):
    """Many starts at once, each round of ours followed by a raw one."""
    took = {"ours": [], "raw": []}
    with Poseidon() as p, concurrent.futures.ThreadPoolExecutor(BURST) as pool:
        poseidon_stop(p, poseidon_start(p, "warm-up"))
        for turn in range(3):
            ms, idents = timed(lambda: list(pool.map(lambda i: poseidon_start(p, f"b{turn}-{i}"), range(BURST))))
            took["ours"].append(ms)
            list(pool.map(lambda i: poseidon_stop(p, i), idents))
            ms, idents = timed(lambda: list(pool.map(lambda _: raw_start(engine), range(BURST))))
            took["raw"].append(ms)
            list(pool.map(lambda i: raw_stop(engine, i), idents))
    ours, raw = (BURST / statistics.median(took[name]) * 1000 for name in ("ours", "raw"))
    return [(f"burst of {BURST} starts, against the same raw burst", ours, "1/s", raw, 0.95)]


def cpu(engine):
    """What the program itself burns; each round is three requests (start and stop, each waited for), and no polling."""
    with Poseidon() as p:
        for i in range(3):
            poseidon_stop(p, p.running(user=f"warm-up-{i}")["id"])
        before = cpu_ms(p)
        for i in range(CPU_ROUNDS):
            poseidon_stop(p, p.running(user=f"u{i}")["id"])
        return [("own CPU per start and stop, dialer included", (cpu_ms(p) - before) / CPU_ROUNDS, "ms", None, 3)]


def idle(engine):
    """A process that has just begun and serves nobody."""
    ready = []
    for _ in range(5):
        ms, p = timed(lambda: Poseidon().start())
        ready.append(ms)
        if len(ready) < 5:
            p.close()
    try:
        time.sleep(2)  # what begins with the process is over
        memory, dialer = (rss_mib(pid) for pid in processes(p)[:2])
        before = cpu_ms(p)
        time.sleep(5)
        burnt = (cpu_ms(p) - before) / 5
    finally:
        p.close()
    return [("process start until ready, p50", statistics.median(ready), "ms", None, 300), ("idle process, resident", memory, "MiB", None, 40),
            ("idle dialer, resident", dialer, "MiB", None, None), ("idle process and dialer, CPU a second", burnt, "ms", None, None)]


PARTS = {"start": start, "burst": burst, "cpu": cpu, "idle": idle}


def as_object(part, name, figure, unit, reference, goal):
    ratio = figure / reference if reference else None
    value = figure if ratio is None else ratio
    met = None if goal is None else value >= goal if unit == "1/s" else value <= goal
    return {"part": part, "name": name, "figure": figure, "unit": unit, "reference": reference, "ratio": ratio, "goal": goal, "met": met}


def text(row):
    def number(value):
        return "-" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    met = {None: "", True: "ok", False: "MISSED"}[row["met"]]
    return (f"{row['name']:52} {number(row['figure']):>12} {row['unit']:12} {number(row['reference']):>12} {number(row['ratio']):>8} "
            f"{number(row['goal']):>10}  {met}")


def main():
    wanted = [a for a in sys.argv[1:] if not a.startswith("--")]
    if "--list" in sys.argv:
        print("\n".join(PARTS))
        return 0
    engine, rows, failed = Engine(), [], False
    for part in wanted or PARTS:
        try:
            measured = [as_object(part, *row) for row in PARTS[part](engine)]
        except Exception:  # one part's failure does not keep the others
            traceback.print_exc()
            failed = True
            continue
        rows += measured
        if "--json" not in sys.argv:
            print("\n".join(map(text, measured)), flush=True)
    if "--json" in sys.argv:
        print(json.dumps(rows, indent=1))
    return 1 if failed else 2 if any(r["met"] is False for r in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
