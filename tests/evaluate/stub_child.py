"""Stands in for the process of a case, and ends as the case's id says. Imports nothing that takes time."""

import json
import os
import subprocess
import sys

task = json.loads(sys.stdin.buffer.readline())
os.chdir(task["work"])
with open("ran", "w") as said:
    said.write(task["engine"])
if "hang" in task["id"]:
    # What it started leaves its process group, as workers of a session do; both write where they are.
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with open(os.environ["STUB_PIDS"], "w") as said:
        said.write(f"{os.getpid()} {child.pid}\n")
    sys.stdin.buffer.read()  # it ends with the one that started it, as the real one does
    child.kill()
    sys.exit(3)
if "crash" in task["id"]:
    sys.stderr.write("something\nLookupError: an inner surprise\n")
    os.abort()
if "mute" in task["id"]:
    sys.exit(0)
if "unusable" in task["id"]:
    with open("fault.txt", "w") as said:
        said.write("nothing usable came in")
    sys.exit(2)
with open("baselines.json", "w") as said:
    json.dump([{"name": "newest commit", "kind": "culprit", "culprit": "c" * 40}], said)
confidence = {"value": 0.85, "reasons": [], "against": []}
culprit = {"commit": "b" * 40}
verdict = {"kind": "culprit", "headline": "it was the pool", "confidence": confidence, "culprit": culprit}
suspects = [{"commit": "d" * 40, "score": 0.6}, {"commit": "b" * 40, "score": 0.5}]
services = [{"service": "porch", "score": 0.7}, {"service": "ledger", "score": 0.6}]
document = {
    "id": "case-1",
    "session": "s",
    "engine": task["engine"],
    "kind": "culprit",
    "culprit": "b" * 40,
    "service": "ledger",
    "services": services,
    "suspects": suspects,
    "confidence": 0.85,
    "seconds": 1.5,
    "verdict": {**verdict, "services": services, "suspects": suspects},
    "problems": [],
    "warroom": task["version"],
}
if "silent" in task["id"]:
    document.update(kind=None, culprit=None, service=None, verdict=None)
with open("result.json", "w") as said:
    json.dump({"document": document, "trouble": "the model is not there" if "silent" in task["id"] else ""}, said)
