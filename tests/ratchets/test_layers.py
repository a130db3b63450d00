"""The import contracts of pyproject.toml name every module that exists; lint-imports holds the code to them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ratchets.sources import PACKAGE, ROOT

FACES = {"cli", "server", "worker", "compat"}
"""Where the outside comes in."""
INSIDE = {"template", "engine", "batch", "registry", "experiments", "insights", "knowledge"}
"""What an adapter never imports."""


def contract_gaps(contracts: Sequence[Mapping[str, Any]], modules: Collection[str]) -> Iterator[str]:
    """Yield what the contracts leave out of the modules that exist.

    A contract may not name a module before it exists, so each new face or adapter has to be added in its own time.
    """
    layers = [re.findall(r"\w+", layer) for contract in contracts for layer in contract.get("layers", ())]
    faces = FACES & set(modules)
    adapters = {module for layer in layers if "stores" in layer for module in layer if module in modules}
    bans = [contract for contract in contracts if contract["type"] == "forbidden"]
    kept_apart = [(_named(ban["source_modules"]), _named(ban["forbidden_modules"])) for ban in bans]
    for importers, imported in ((faces, adapters), (adapters, INSIDE & set(modules))):
        if (importers, imported) not in kept_apart:
            yield f"no contract keeps {sorted(importers)} from importing {sorted(imported)}"
    if "wire" in modules and not any("wire" in _named(contract.get("protected_modules", ())) for contract in contracts):
        yield "no contract protects ['wire']"


def existing_modules() -> set[str]:
    """Return the names of the package's modules."""
    children = (ROOT / PACKAGE).iterdir()
    return {path.stem for path in children if path.suffix == ".py" or (path / "__init__.py").exists()}


def _named(modules: Collection[str]) -> set[str]:
    return {module.removeprefix("cuewire.") for module in modules}


def test_the_contracts_name_every_face_and_every_adapter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

    assert list(contract_gaps(contracts, existing_modules())) == []


@pytest.mark.parametrize(
    ("added", "gaps"), [("server", 1), ("caches", 2), ("batch", 1), ("wire", 1), ("blocking", 0)], ids=str
)
def test_a_new_module_that_a_contract_leaves_out_is_found(added: str, gaps: int) -> None:
    contracts = [
        {"type": "layers", "layers": ["cli | (server)", "stores | (caches)", "engine"]},
        {"type": "forbidden", "source_modules": ["cuewire.cli"], "forbidden_modules": ["cuewire.stores"]},
        {"type": "forbidden", "source_modules": ["cuewire.stores"], "forbidden_modules": ["cuewire.engine"]},
    ]
    modules = {"cli", "stores", "engine"}

    assert list(contract_gaps(contracts, modules)) == []
    assert len(list(contract_gaps(contracts, modules | {added}))) == gaps


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Return a tree with one empty file a module, under the import contracts of this project."""
    settings = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(settings[settings.index("[tool.importlinter]") :])
    (tmp_path / "cuewire").mkdir()
    for module in existing_modules():
        (tmp_path / "cuewire" / f"{module}.py").touch()
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run([sys.executable, "-c", code, "--no-cache"], cwd=tree, capture_output=True, text=True)


def test_imports_that_follow_the_layers_pass(sample: Path) -> None:
    (sample / "cuewire/wiring.py").write_text("import cuewire.stores, cuewire.engine\n")
    (sample / "cuewire/stores.py").write_text("import cuewire.ports\n")

    assert lint(sample).returncode == 0


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("model", "ports"),
        ("engine", "stores"),
        ("providers", "stores"),
        ("cli", "stores"),
        ("compat", "stores"),
        ("engine", "compat"),
        ("stores", "engine"),
        ("registry", "engine"),
    ],
)
def test_an_import_against_the_layers_is_found(sample: Path, importer: str, imported: str) -> None:
    (sample / f"cuewire/{importer}.py").write_text(f"import cuewire.{imported}\n")

    result = lint(sample)

    assert result.returncode == 1
    assert f"cuewire.{importer} -> cuewire.{imported}" in result.stdout


def test_a_module_without_a_layer_is_found(sample: Path) -> None:
    (sample / "cuewire/gadgets.py").touch()

    result = lint(sample)

    assert result.returncode == 1
    assert "cuewire.gadgets" in result.stdout
