"""What pyproject.toml cannot say without a warning: what is built from C, where it can be."""

from setuptools import Extension, setup

NATIVE = "subagents/logs/native"
SOURCES = ("lines", "words", "blocks", "keys", "texts")
HEADERS = ("bytes", "odd", "wide", "finders", "stamps", "bits", "classes", "runs", "words", "twins", "vocabulary")

setup(
    ext_modules=[
        Extension(
            "subagents.logs.native._lines",  # without Python.h: ctypes loads it
            sources=[f"{NATIVE}/{name}.c" for name in SOURCES],
            depends=[f"{NATIVE}/{name}.h" for name in HEADERS],
            define_macros=[("_GNU_SOURCE", "1")],
            # two numbers that were just written are not to be read as one vector: it would wait for both
            extra_compile_args=["-O3", "-fvisibility=hidden", "-fno-tree-slp-vectorize"],
            optional=True,
        )
    ]
)
