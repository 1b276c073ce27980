"""The built wheel, which people install, holds everything, and its base install is enough for the client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.tree import PACKAGES, ROOT

pytestmark = pytest.mark.wheel


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints, run without the checkout on the path; its output where it fails."""
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV" and not name.startswith(("PYTHON", "WATCHKEEPER_"))}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def environment(folder: Path, wheel: Path) -> Path:
    """A virtual environment with the wheel and nothing else; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    return python


def packages(python: Path) -> Path:
    """Where an interpreter of this version keeps its packages."""
    return python.parent.parent / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def base(wheel: Path) -> list[Distribution]:
    """The installed distributions that the wheel's base install asks for, directly or not."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        waiting = re.findall(r"^Requires-Dist: (.*)$", archive.read(name).decode(), re.MULTILINE)
    found: dict[str, Distribution] = {}
    while waiting:
        wanted = Requirement(waiting.pop())
        if wanted.name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found[wanted.name] = distribution(wanted.name)
            waiting += found[wanted.name].requires or []
    return list(found.values())


def test_the_wheel_carries_every_file_of_every_package(wheel: Path) -> None:
    """Migrations, the demo's definitions and the pages' assets among them; and no tests."""
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    listed = set(tracked.stdout.splitlines()) if tracked.returncode == 0 else carried
    assert sorted(name for name in listed - carried if (ROOT / name).exists()) == []
    assert set(PACKAGES) == {name.split("/")[0] for name in carried}
    for pattern in (
        r"storage/facts/migrations/\d+.*\.sql",
        r"storage/control/alembic/versions/.*\.py",
        r"watchkeeper/demo/.*\.yaml",
        r"dashboard/assets/.*\.css",
        r"dashboard/assets/.*\.js",
    ):
        assert any(re.fullmatch(pattern, name) for name in carried), pattern


def test_the_client_needs_the_light_base_only(wheel: Path, tmp_path: Path) -> None:
    """In an environment with the base install and nothing more, the client is imported, and no other package of ours."""
    python = environment(tmp_path / "light", wheel)
    for found in base(wheel):
        for file in found.files or ():
            source, goal = Path(str(found.locate_file(file))), packages(python) / file
            if ".." not in file.parts and source.is_file():
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, goal)
    code = (
        "import sys, watchkeeper.client as c; print(c.__file__); print(c.Client.__name__, *sorted({n.split('.')[0] for n in sys.modules}))"
    )
    place, words = run(python, "-c", code, cwd=tmp_path).splitlines()
    name, *modules = words.split()
    assert packages(python) in Path(place).parents
    assert name == "Client"
    assert set(modules) & set(PACKAGES) == {"watchkeeper"}
    assert "httpx" in modules
    assert "numpy" not in modules


def test_the_program_runs_from_the_wheel_in_any_folder(wheel: Path, tmp_path: Path) -> None:
    """With all dependencies there, `watchkeeper` starts and its stores find their migrations, far from the checkout."""
    python = environment(tmp_path / "whole", wheel)
    (packages(python) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    program = python.parent / "watchkeeper"
    assert "up" in run(program, "--help", cwd=tmp_path)
    place = run(python, "-c", "import storage; print(storage.__file__)", cwd=tmp_path).strip()
    assert packages(python) in Path(place).parents
    run(program, "migrate", "--data", tmp_path / "data", cwd=tmp_path)
    assert {"control.sqlite", "facts"} <= {path.name for path in (tmp_path / "data").iterdir()}
