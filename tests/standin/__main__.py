"""Run the stand-in as a program: `python -m tests.standin --port 0 --script investigation`."""

from __future__ import annotations

import argparse
import threading

from tests.standin.options import Options
from tests.standin.scripts import SCRIPTS
from tests.standin.server import Standin


def main() -> None:
    """Serve until interrupted; prints the base URL and the key on two lines."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="demo")
    parser.add_argument("--key", default=Options.key, help="the API key that is valid")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between the steps of an agent")
    asked = parser.parse_args()
    with Standin(SCRIPTS[asked.script], asked.port, Options(key=asked.key, pace=asked.pace)) as server:
        print(f"ANTHROPIC_BASE_URL={server.base_url}\nANTHROPIC_API_KEY={server.key}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
