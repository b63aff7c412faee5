"""What pyproject.toml cannot say without a warning: what is built from C, where it can be."""

from setuptools import Extension, setup

NATIVE = "subagents/logs/native"

setup(
    ext_modules=[
        Extension(
            "subagents.logs.native._lines",  # without Python.h: ctypes loads it
            sources=[f"{NATIVE}/{name}.c" for name in ("lines", "words", "blocks", "keys", "texts")],
            depends=[
                f"{NATIVE}/{name}.h"
                for name in ("bytes", "odd", "wide", "finders", "stamps", "bits", "classes", "words", "twins", "vocabulary")
            ],
            define_macros=[("_GNU_SOURCE", "1")],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        )
    ]
)
