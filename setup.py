"""What pyproject.toml cannot say without a warning: what is built from C, where it can be."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "subagents.logs.native._lines",  # without Python.h: ctypes loads it
            sources=["subagents/logs/native/lines.c", "subagents/logs/native/words.c"],
            define_macros=[("_GNU_SOURCE", "1")],
            extra_compile_args=["-O3", "-fvisibility=hidden"],
            optional=True,
        )
    ]
)
