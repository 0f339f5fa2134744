"""Who may import whom, and what no file may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "torchvision", "transformers", "faiss", "umap"}
# May hold torch and transformers at all.
TORCH_HOMES = ("core/backbones/", "core/training/", "core/detect.py", "core/doctor.py")
# Files of TORCH_HOMES that are only ever imported inside a function, and so may import torch at their top.
LAZY = {
    "core/backbones/module.py", "core/backbones/state.py", "core/backbones/torchvision_loader.py",
    "core/backbones/transformers_loader.py", "core/backbones/bundled_loader.py", "core/backbones/local_features.py",
    "core/backbones/heads.py", "core/backbones/projection.py",
    "core/training/inputs.py", "core/training/network.py", "core/training/objectives.py",
    "core/training/checkpoints.py", "core/training/loop.py", "core/training/publish.py",
}  # fmt: skip
WRITERS = {
    "core/files.py": "the one place that writes atomically",
    "core/datasets/fetching.py": "downloads into a temporary folder that is renamed when whole",
    "core/datasets/archives.py": "unpacks into a temporary folder that is renamed when whole",
    "core/datasets/demo.py": "draws into a temporary folder that is renamed when whole",
    "core/datasets/emoji.py": "draws into a temporary folder that is renamed when whole",
    "core/index.py": "FAISS writes to the temporary file of files.replacing",
    "core/jobs.py": "a child's output goes straight to its own file",
}


@dataclass(frozen=True)
class Import:
    """An import statement: which module, where, and whether it runs when the file is imported."""

    module: str
    line: int
    top: bool

    @property
    def root(self) -> str:
        return self.module.split(".")[0]


def _files(*folders: str) -> list[str]:
    found = (path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in found)


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((REPOSITORY / file).read_text("utf-8"))


@cache
def _imports(file: str) -> list[Import]:
    return list(_walk(_tree(file), top=True))


def _walk(node: ast.AST, top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "imports are absolute"
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (Import(name, child.lineno, top) for name in names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        else:
            yield from _walk(child, top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _importers(roots: set[str], *folders: str, top: bool = False) -> list[str]:
    return [
        f"{file}:{found.line} {found.module}"
        for file in _files(*folders)
        for found in _imports(file)
        if found.root in roots and (found.top or not top)
    ]


def _outside(found: list[str], *homes: str) -> list[str]:
    return [line for line in found if not line.startswith(homes)]


CODE = _files("core", "dashboard", "pages")


def test_the_walk_sees_imports_wherever_they_are() -> None:
    code = (
        "import a\nfrom b.c import d\ndef f():\n    import e\nif TYPE_CHECKING:\n    import g\nwith x:\n    import h\n"
    )
    found = {(one.module, one.top) for one in _walk(ast.parse(code), top=True)}
    assert found == {("a", True), ("b.c.d", True), ("e", False), ("h", True)}
    assert len(_files("core")) > 30


def test_core_knows_no_screen() -> None:
    assert _importers({"streamlit", "plotly", "dashboard", "pages"}, "core") == []


def test_the_dashboard_knows_no_page() -> None:
    assert _importers({"pages"}, "dashboard", "pages") == []


def test_streamlit_s_caches_are_used_in_the_loaders_only() -> None:
    users = {
        file
        for file in CODE
        for node in ast.walk(_tree(file))
        if (isinstance(node, ast.Attribute) and node.attr.startswith("cache_") and ast.unparse(node.value) == "st")
        or (isinstance(node, ast.ImportFrom) and any(alias.name.startswith("cache_") for alias in node.names)
            and (node.module or "").startswith("streamlit"))
    }  # fmt: skip
    assert users == {"dashboard/loaders.py"}


def test_torch_and_transformers_stay_where_networks_are() -> None:
    found = _importers({"torch", "torchvision", "transformers"}, "core", "dashboard", "pages")
    assert found, "the check sees nothing at all"
    assert _outside(found, *TORCH_HOMES) == []


def test_torch_and_transformers_are_imported_only_when_needed() -> None:
    found = _importers({"torch", "torchvision", "transformers", "onnxruntime"}, "core", "dashboard", "pages", top=True)
    assert _outside(found, *LAZY) == []
    modules = {file.removesuffix(".py").replace("/", ".") for file in LAZY}
    eager = [
        f"{file}:{one.line} {one.module}"
        for file in CODE
        for one in _imports(file)
        if one.top and file not in LAZY and any(one.module == m or one.module.startswith(m + ".") for m in modules)
    ]
    assert eager == []


def test_faiss_and_umap_each_have_one_home() -> None:
    assert {line.split(":")[0] for line in _importers({"faiss"}, "core", "dashboard", "pages")} == {"core/index.py"}
    assert _outside(_importers({"umap"}, "core", "dashboard", "pages"), "core/projection.py") == []


def test_screens_compute_nothing_heavy() -> None:
    assert _importers(HEAVY | {"onnxruntime", "sklearn"}, "dashboard", "pages") == []


def test_charts_are_drawn_without_streamlit() -> None:
    drawers = [file for file in CODE if file.endswith("charts.py")]
    assert len(drawers) >= 3
    assert [file for file in drawers for one in _imports(file) if one.root == "streamlit"] == []


def test_only_the_bundled_loader_may_unpickle() -> None:
    picklers = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve"}
    found = _importers(picklers, "core", "dashboard", "pages")
    assert _outside(found, "core/backbones/bundled_loader.py") == []


def _calls(file: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(_tree(file)) if isinstance(node, ast.Call))


@pytest.mark.parametrize("file", CODE)
def test_no_file_runs_text_or_html_as_code(file: str) -> None:
    for call in _calls(file):
        name = ast.unparse(call.func)
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert name not in ("eval", "exec", "os.system", "os.popen", "components.html"), call.lineno
        if name == "st.html":
            assert all(isinstance(argument, ast.Constant) for argument in call.args), call.lineno
        assert "unsafe_allow_html" not in options, call.lineno
        assert options.get("shell", "False") == "False", call.lineno
        assert options.get("allow_pickle", "False") == "False", call.lineno
        if name == "torch.load":
            assert options.get("weights_only") == "True", call.lineno


def _mode(call: ast.Call, place: int) -> str:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[place : place + 1]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else "r"


def _writes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and set(_mode(call, 1)) & set("wax+") != set()
    if not isinstance(call.func, ast.Attribute):
        return False
    owner, name = ast.unparse(call.func.value), call.func.attr
    if name == "open":
        return set(_mode(call, 0)) & set("wax+") != set() and "Image" not in owner
    if name in ("write_text", "write_bytes"):
        return owner != "files"
    if name in ("to_csv", "to_json", "to_parquet"):
        return bool(call.args)  # without a path they return text
    return name in ("save_file", "savez", "write_index") or f"{owner}.{name}" == "np.save"


def test_only_named_files_write_to_disk() -> None:
    found = {file for file in CODE for call in _calls(file) if _writes(call)}
    assert "core/files.py" in found, "the check sees nothing at all"
    assert found - set(WRITERS) == set()


@pytest.mark.parametrize(
    "module",
    ["core.cli", "core.detect", "core.evaluate", "core.jobs", "core.label_groups", "core.search", "dashboard.loaders"],
)
def test_importing_loads_no_network_library(module: str) -> None:
    unwanted = {"torch", "torchvision", "transformers", "onnxruntime", "umap", "numba", "sklearn"}
    code = f"import sys, {module}; print(*sorted({unwanted} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
