"""Builds the Cython kernels; everything else about the package stands in pyproject.toml."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("fastfm_cy/kernels")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "freethreading_compatible": True,
}


class BuildKernels(build_ext):
    """Chooses the optimisation flags once the compiler is known."""

    def build_extensions(self):
        flags = ["/O2"] if self.compiler.compiler_type == "msvc" else ["-O3", "-g0"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


def kernel_extensions():
    sources = sorted(KERNELS.glob("*.pyx"))
    modules = [
        Extension(".".join(source.with_suffix("").parts), [source.as_posix()]) for source in sources
    ]
    return cythonize(modules, compiler_directives=DIRECTIVES)


setup(ext_modules=kernel_extensions(), cmdclass={"build_ext": BuildKernels})
