"""The re-check: a person drops newer data in, and the verdict's symptom is measured again, the same way.

    result = await recheck(session, ("newer.csv",), around)     # or (): the same files and folders, read again
    result.body.state                                           # recovered, recovering, ongoing, unknown

It runs through hands and works for sessions of every engine: what a server drives is measured here all the same.
"""

from orchestrator.recheck.run import Result, recheck

__all__ = ["Result", "recheck"]
