"""Seeds of the cluster simulation on every core, until so many lifecycles are through. Exit code 1: a seed found a violation."""
import argparse
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import threading
import time

LINE = re.compile(r"(\d+) starts, (\d+) lifecycles, .* (\d+) faults, (\d+) crashes, (\d+) losses")
SECONDS_A_SEED = 600


class Sum:
    """What all seeds together came to."""

    def __init__(self, wanted):
        self.wanted, self.lock, self.seeds, self.failed = wanted, threading.Lock(), 0, []
        self.starts = self.lifecycles = self.faults = self.crashes = self.losses = 0

    def add(self, seed, output, code):
        with self.lock:
            self.seeds += 1
            if found := LINE.search(output):
                starts, lifecycles, faults, crashes, losses = map(int, found.groups())
                self.starts += starts
                self.lifecycles += lifecycles
                self.faults += faults
                self.crashes += crashes
                self.losses += losses
            if code != 0:
                self.failed.append(seed)
                said = [line for line in output.splitlines() if re.match(r"\d+ ms: |with |.*Sanitizer|terminate", line)]
                print(f"seed {seed} failed:", *(said or output.splitlines()[-10:]), sep="\n  ", flush=True)

    def done(self):
        return self.lifecycles >= self.wanted


def run(program, seed):
    environment = dict(os.environ, POSEIDON_SIMULATION_SEED=str(seed))
    try:
        ended = subprocess.run([program, "--gtest_filter=cluster_simulation.seeds"], env=environment, capture_output=True, text=True,
                               timeout=SECONDS_A_SEED, check=False)
        return ended.stdout + ended.stderr, ended.returncode
    except subprocess.TimeoutExpired:
        return f"terminated: no end within {SECONDS_A_SEED} s", 1


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("program")
    options.add_argument("lifecycles", type=int, nargs="?", default=100_000)
    options.add_argument("first_seed", type=int, nargs="?", default=1)
    options = options.parse_args()
    total, seeds, began = Sum(options.lifecycles), itertools.count(options.first_seed), time.monotonic()

    def work():
        while not total.done():
            with total.lock:
                seed = next(seeds)
            total.add(seed, *run(options.program, seed))

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for each in [pool.submit(work) for _ in range(os.cpu_count())]:
            each.result()
    spent = time.monotonic() - began
    print(f"cluster simulation: seeds {options.first_seed} to {options.first_seed + total.seeds - 1}, {total.seeds / spent:.2f} a second; "
          f"{total.starts} starts, {total.lifecycles} lifecycles, {total.lifecycles / spent:.0f} a second; {total.faults} faults, "
          f"{total.crashes} crashes, {total.losses} losses of nodes; {len(total.failed)} seeds failed {total.failed or ''}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
