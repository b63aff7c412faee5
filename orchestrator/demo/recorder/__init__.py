"""How the bundled incident was made: its repository from a series of patches, its telemetry by running it.

python -m orchestrator.demo.recorder          # both, into orchestrator/demo/data
"""
