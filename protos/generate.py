"""Generate the Python stubs, or say whether the committed ones have drifted.

python protos/generate.py            writes protos/gen
python protos/generate.py --check    exits 1 if protos/gen would change
python protos/generate.py --lint     runs buf lint over the protos
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import google.api
import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
GENERATED = ROOT / "gen"
# google/api and google/rpc come with googleapis-common-protos, the well-known
# types with grpcio-tools.
INCLUDES = (
    ROOT,
    Path(next(iter(google.api.__path__))).parent.parent,
    Path(grpc_tools.__path__[0]) / "_proto",
)
SCRIPTS = Path(sysconfig.get_path("scripts"))


def protos() -> list[str]:
    """Return the paths of our protos, relative to the root, sorted."""
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "synaptyx").rglob("*.proto"))


def compile_protos(*options: str) -> None:
    """Run protoc over our protos.

    Raises:
        SystemExit: protoc refused them; it has printed why.
    """
    includes = [f"--proto_path={path}" for path in INCLUDES]
    if protoc.main(["protoc", *includes, *options, *protos()]) != 0:
        raise SystemExit(1)


def generate(target: Path) -> None:
    """Write the stubs and their types into `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    compile_protos(
        f"--python_out={target}",
        f"--pyi_out={target}",
        f"--grpc_python_out={target}",
        f"--plugin=protoc-gen-mypy_grpc={SCRIPTS / 'protoc-gen-mypy_grpc'}",
        f"--mypy_grpc_out={target}",
    )
    for directory in [target / "synaptyx", *(target / "synaptyx").rglob("*/")]:
        (directory / "__init__.py").write_text('"""Generated from protos/synaptyx."""\n')
    for stub in target.rglob("*_pb2_grpc.py"):
        # A proto without a service makes an empty stub.
        if "class " not in stub.read_text():
            stub.unlink()
            stub.with_suffix(".pyi").unlink()


def drifted(left: Path, right: Path) -> list[str]:
    """Return the paths that differ between two trees of stubs, sorted."""
    compared = filecmp.dircmp(left, right, ignore=["__pycache__"])
    names = [*compared.left_only, *compared.right_only, *compared.diff_files]
    _, mismatch, errors = filecmp.cmpfiles(left, right, compared.common_files, shallow=False)
    paths = [str(left / name) for name in {*names, *mismatch, *errors}]
    for name in compared.common_dirs:
        paths += drifted(left / name, right / name)
    return sorted(paths)


def check() -> int:
    """Generate beside the committed stubs and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch) / "gen")
        changed = drifted(GENERATED, Path(scratch) / "gen")
    if changed:
        print("The stubs do not match the protos; run `make protos`:", *changed, sep="\n  ")
        return 1
    return 0


def lint() -> int:
    """Lint a descriptor set: buf then needs no network for google/api."""
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch) / "image.binpb"
        compile_protos(
            f"--descriptor_set_out={image}", "--include_imports", "--include_source_info"
        )
        command = [str(SCRIPTS / "buf"), "lint", str(image), "--config", str(ROOT / "buf.yaml")]
        return subprocess.run(command, check=False).returncode


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail if the stubs have drifted")
    parser.add_argument("--lint", action="store_true", help="run buf lint")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    if arguments.lint:
        return lint()
    generate(GENERATED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
