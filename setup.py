"""Builds the Cython kernels; everything else about the package stands in pyproject.toml."""

import gzip
import os
import platform
import subprocess
import tarfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

KERNELS = Path("fastfm_cy/kernels")
# Cython's own code for memoryviews, once for all modules: it is two thirds of a small one.
SHARED_CODE = "fastfm_cy.kernels.common.memoryviews"
IS_X86_64 = platform.machine().lower() in ("x86_64", "amd64")
# Fewer, and flags behind all others, are for builds that look for errors (.ci/sanitize).
BUILDS = os.environ.get("FASTFM_CY_BUILDS", "baseline avx2" if IS_X86_64 else "baseline").split()
LAST_FLAGS = os.environ.get("FASTFM_CY_CFLAGS", "").split()
# Translated to C once, but compiled for each instruction set. What takes longest comes first, so
# that no core waits for it in the end.
PER_BUILD = [
    "gradient/higher_order",
    "gradient/ffm",
    "gradient/fwfm",
    "gradient/fm",
    "coordinate/coordinate",
    "ranking/ranking",
    "whole_data/whole_data",
    "matrix/starts",
]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "freethreading_compatible": True,
}

# No -ffast-math: checks for NaN must work. -fopenmp-simd only obeys vectorisation hints; there is
# no OpenMP run time. Kernels must be inlined into the functions that know the number of factors.
UNIX_FLAGS = ["-O3", "-g0", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math"]
INLINE = ("CYTHON_INLINE", "inline __attribute__((always_inline))")
# gcc's unroll-and-jam turns loops of constant length scalar; other compilers have no such pass.
GCC_FLAGS = ["-fno-loop-unroll-and-jam"]
# No fused multiply-adds in modules whose results have the same bits wherever they are computed.
SAME_BITS = ("starts",)
SAME_BITS_FLAGS = {"msvc": [], "unix": ["-ffp-contract=off"]}  # a pragma tells MSVC
AVX2_FLAGS = {"msvc": ["/arch:AVX2"], "unix": ["-mavx2", "-mfma", "-mprfchw"]}


class BuildKernels(build_ext):
    """Chooses the flags once the compiler is known."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        is_msvc = self.compiler.compiler_type == "msvc"
        flags = ["/O2"] if is_msvc else UNIX_FLAGS + self._gcc_flags()
        for extension in self.extensions:
            extension.extra_compile_args = list(flags)
            if ".avx2." in extension.name:
                extension.extra_compile_args += AVX2_FLAGS["msvc" if is_msvc else "unix"]
            if extension.name.endswith(SAME_BITS):
                extension.extra_compile_args += SAME_BITS_FLAGS["msvc" if is_msvc else "unix"]
            extension.extra_compile_args += LAST_FLAGS
            if not is_msvc:
                extension.define_macros = [INLINE]
        super().build_extensions()

    def _gcc_flags(self):
        command = [*self.compiler.compiler, "-dM", "-E", "-x", "c", "/dev/null"]
        try:
            macros = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        except OSError:
            return []
        return [] if "__clang__" in macros else GCC_FLAGS  # clang defines gcc's macros, too


class ReproducibleArchive(sdist):
    """The same bytes from the same files, at the time that SOURCE_DATE_EPOCH says."""

    def make_archive(self, base_name, format, root_dir=None, base_dir=None, **owners):
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        if epoch is None or format != "gztar":
            return super().make_archive(base_name, format, root_dir, base_dir, **owners)

        def plain(member):
            member.mtime, member.mode = int(epoch), 0o755 if member.mode & 0o100 else 0o644
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            return member

        path = f"{base_name}.tar.gz"
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", 9, file, int(epoch)) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(base_dir, filter=plain)  # in the order of names
        return path


def kernel_extensions():
    """Every .pyx is a module, but those of PER_BUILD: they are one in each folder of BUILDS."""
    headers = sorted(KERNELS.rglob("*.h"))
    common = {
        "depends": [header.as_posix() for header in headers],
        "include_dirs": sorted({header.parent.as_posix() for header in headers}),
    }
    modules = [
        Extension(".".join(path.with_suffix("").parts), [path.as_posix()], **common)
        for path in sorted(KERNELS.rglob("*.pyx"))
    ]
    modules.append(Extension(SHARED_CODE, [SHARED_CODE.replace(".", "/") + ".c"]))
    modules = cythonize(
        modules,
        nthreads=os.cpu_count(),
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED_CODE,
    )
    per_build = [KERNELS / f"{name}.c" for name in PER_BUILD]
    return [build_of(translated, build, common) for translated in per_build for build in BUILDS] + [
        module for module in modules if Path(module.sources[0]) not in per_build
    ]


def build_of(translated, build, common):
    """A module of its own from C that another build is compiled from, too."""
    source = KERNELS / build / translated.name
    text = f'#include "../{translated.parent.name}/{translated.name}"\n'
    if not source.exists() or source.read_text() != text:
        source.write_text(text)
    extension = Extension(".".join(source.with_suffix("").parts), [source.as_posix()], **common)
    extension.depends = [*common["depends"], translated.as_posix()]
    return extension


if __name__ == "__main__":  # not when a process that translates imports this file
    setup(
        ext_modules=kernel_extensions(),
        cmdclass={"build_ext": BuildKernels, "sdist": ReproducibleArchive},
    )
