"""What reaches an operator's machine: the wheel, the unit, the scripts that prepare a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

import bridge

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.iterdir()
    return ZipFile(file)


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    """A folder first on PATH where a test puts programs that play somebody else."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    return folder


def stub(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def run(stubs: Path, *command: object) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}"}
    return subprocess.run([str(word) for word in command], env=env, capture_output=True, text=True, check=False)


def shipped(folder: str) -> set[str]:
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT / folder)) for path in files}


def test_wheel_carries_every_file_of_the_package(wheel: ZipFile) -> None:
    missing = {f"bridge/{name}" for name in shipped("bridge")} - set(wheel.namelist())
    assert missing == set()
    assert "bridge/py.typed" in wheel.namelist()


def test_wheel_carries_the_producer_packs(wheel: ZipFile) -> None:
    packs = {f"bridge/_rules/{name}" for name in shipped("rules")}
    assert packs
    assert packs - set(wheel.namelist()) == set()


def test_wheel_says_name_version_licence_and_command(wheel: ZipFile) -> None:
    info = f"smsbridge-{bridge.__version__}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert f"\nName: smsbridge\nVersion: {bridge.__version__}\n" in metadata
    assert "\nLicense-Expression: GPL-3.0-or-later\n" in metadata
    assert "smsbridge = bridge.cli.main:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert b"GNU GENERAL PUBLIC LICENSE" in wheel.read(f"{info}/licenses/LICENSE")


def exposure(unit: Path) -> float:
    """What ``systemd-analyze security`` says of *unit*: 0 nothing to harm, 10 everything."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
    assert found, said.stdout
    return float(found[1])


def test_T34_unit_exposes_no_more_than_one_and_a_half() -> None:
    assert exposure(UNITS / "smsbridge.service") <= 1.5


def test_T34_unit_behind_the_socket_needs_no_capability(tmp_path: Path) -> None:
    unit = tmp_path / "smsbridge.service"
    drop_in = (UNITS / "smsbridge.service.d/socket.conf").read_text()
    unit.write_text((UNITS / "smsbridge.service").read_text() + drop_in)
    assert exposure(unit) <= 1.2
    settings = dict(line.split("=", 1) for line in unit.read_text().splitlines() if re.match(r"\w+=", line))
    assert (settings["AmbientCapabilities"], settings["CapabilityBoundingSet"]) == ("", "")


def test_T34_units_are_understood_by_systemd(tmp_path: Path) -> None:
    for name in ("smsbridge.service", "smsbridge.socket"):
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.M))
    units = sorted(str(path) for path in tmp_path.iterdir())
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in (said.stdout + said.stderr).splitlines() if "smsbridge" in line]
    assert (said.returncode, ours) == (0, [])


def python_without_ensurepip(stubs: Path, log: Path) -> Path:
    return stub(
        stubs,
        "python3.99",
        'case "$*" in',
        '  *"version_info <"*) exit 0;;',
        "  *print*) echo python3.99-venv;;",
        f"""  *"-m venv"*) echo "$@" >>"{log}";;""",
        "  *) exit 1;;",
        "esac",
    )


def test_make_venv_names_the_package_where_python_has_no_ensurepip_and_we_are_not_root(stubs: Path) -> None:
    python = python_without_ensurepip(stubs, stubs / "log")
    stub(stubs, "id", "echo 1000")
    said = run(stubs, ROOT / "tools/make-venv", python, stubs / "venv")
    assert said.returncode == 1
    assert "as root: apt-get install python3.99-venv" in said.stderr
    assert not (stubs / "log").exists()


def test_make_venv_installs_the_package_as_root(stubs: Path) -> None:
    log = stubs / "log"
    python = python_without_ensurepip(stubs, log)
    stub(stubs, "id", "echo 0")
    stub(stubs, "apt-get", f'echo "$@" >>"{log}"')
    assert run(stubs, ROOT / "tools/make-venv", python, stubs / "venv").returncode == 0
    update, install, venv = log.read_text().splitlines()
    assert update.startswith("update")
    assert install.startswith("install")
    assert install.endswith(" python3.99-venv")
    assert venv == f"-m venv {stubs / 'venv'}"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (['[ "$1" = -V ] && echo Python 3.9.2', "exit 1"], "is Python 3.9.2; Python 3.11 or newer is needed"),
        (None, "there is no"),
    ],
)
def test_make_venv_refuses_a_python_that_is_old_or_not_there(
    stubs: Path, lines: list[str] | None, sentence: str
) -> None:
    python = stub(stubs, "python3.99", *lines) if lines else stubs / "python3.99"
    said = run(stubs, ROOT / "tools/make-venv", python, stubs / "venv")
    assert said.returncode == 1
    assert sentence in said.stderr


def test_apt_install_tries_again_when_a_mirror_is_away(stubs: Path) -> None:
    tries = stubs / "tries"
    stub(stubs, "apt-get", f'echo x >>"{tries}"; [ "$(wc -l <"{tries}")" -ge 3 ]')
    stub(stubs, "sleep", "exit 0")
    assert run(stubs, ROOT / "tools/apt-install", "chromium").returncode == 0
    assert len(tries.read_text().splitlines()) == 4  # two updates in vain, an update, an install


def test_test_setup_says_what_is_missing_to_somebody_who_is_not_root(stubs: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    for name in ("dirname", "systemd-analyze"):
        stub(stubs, name)
    stub(stubs, "id", "echo 1000")
    said = subprocess.run(
        [bash, str(ROOT / "tools/test-setup")], env={"PATH": str(stubs)}, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert "as root: apt-get install chromium" in said.stderr


@pytest.mark.parametrize(
    ("line", "make_status", "status", "said"),
    [
        ("=== 3 passed in 0.10s ===", 0, 0, "=== 3 passed in 0.10s ==="),
        ("=== 1 failed, 2 passed in 0.10s ===", 2, 2, "=== 1 failed, 2 passed in 0.10s ==="),
        ("=== no tests ran in 0.01s ===", 2, 2, "pytest collected nothing (its exit code 5)"),
        ("ruff: something", 2, 2, "make test stopped before pytest had anything to say"),
    ],
)
def test_ci_run_ends_with_what_pytest_said_and_with_its_verdict(
    stubs: Path, line: str, make_status: int, status: int, said: str
) -> None:
    stub(stubs, "make", f'[ "$1" = test ] && echo "{line}"', "echo more", f"exit {make_status}")
    done = run(stubs, ROOT / ".ci/run")
    assert done.returncode == status
    assert said in (done.stdout + done.stderr).partition("more")[2]
