"""What must hold for the checkout as a whole: nothing private in it, locks that lock, pages that lead somewhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import bridge
from tools.docs import PAGES, stale
from tools.links import broken_links, pages

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("run", "build", "dev", "peers")
# Put together here, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")))
MACHINE_PATHS = re.compile(r"(?<![\w.~*-])/(?:work|root|tmp)/[a-z]")
UNDOCUMENTED = ("examples/", "pictures/")  # of docs/: the cases speak for themselves


def tracked() -> list[Path]:
    """Every file git knows or would take, as absolute paths."""
    listed = output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def requirements(lock: str) -> dict[str, list[str]]:
    """Package with its version → its hashes, as the lock has them."""
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    found: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        first, *rest = (line.strip(" \\") for line in block.splitlines())
        found[first] = rest
    return found


def names(lock: str) -> dict[str, str]:
    """Normal name of a package → its version."""
    pins = (line.partition(";")[0].strip().partition("==") for line in requirements(lock))
    return {normal(name.partition("[")[0]): version for name, _, version in pins}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {normal(re.split(r"[\[<>=~! ;]", line, maxsplit=1)[0]) for line in project["dependencies"]}


def targets() -> list[str]:
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)


def test_no_file_names_a_package_registry() -> None:
    guilty = [path for path in tracked() if any(host in text_of(path) for host in REGISTRY_HOSTS)]
    assert guilty == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    found = {path: MACHINE_PATHS.search(text_of(path)) for path in tracked()}
    assert {path: match[0] for path, match in found.items() if match} == {}


def test_no_file_is_huge_or_made_by_a_tool_that_can_make_it_again() -> None:
    made = {".pyc", ".sqlite", ".whl", ".log"}
    assert [path for path in tracked() if path.stat().st_size > 2_000_000 or path.suffix in made] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_T35_lock_pins_every_package_by_version_and_hash(lock: str) -> None:
    found = requirements(lock)
    assert len(found) >= 5
    loose = [line for line in found if not re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[\w.!+]+( ; .+)?", line)]
    unhashed = [
        line for line, hashes in found.items()
        if not hashes or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)
    ]  # fmt: skip
    assert (loose, unhashed) == ([], [])


@pytest.mark.parametrize("lock", LOCKS)
def test_T35_lock_names_no_index_and_no_url(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    assert re.findall(r"^-.*|.*://.*|.* @ .*", text, re.M) == []


def test_T35_what_is_tested_is_what_is_run() -> None:
    tested = names("dev")
    for lock in ("run", "build"):
        different = {name: version for name, version in names(lock).items() if tested.get(name) != version}
        assert different == {}, f"requirements/dev.txt and {lock}.txt disagree; run make lock"


def test_T35_every_declared_dependency_is_locked() -> None:
    assert declared() - names("run").keys() == set()


def test_make_help_says_what_every_target_does() -> None:
    assert re.findall(r"^  make ([a-z]+) +\S", output("make", "help"), re.M) == targets()


def test_make_without_a_target_only_helps() -> None:
    assert output("make") == output("make", "help")


@pytest.mark.parametrize("target", ["install", "demo", "test", "bench", "docs", "proof", "lock", "lint", "clean"])
def test_makefile_keeps_the_promised_targets(target: str) -> None:
    assert target in targets()


def test_changelog_has_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] == bridge.__version__


def test_every_link_between_pages_leads_somewhere() -> None:
    assert [str(link) for link in broken_links(ROOT)] == []


def test_generated_pages_are_what_the_program_says() -> None:
    assert stale(ROOT, PAGES) == (), "run make docs"


def test_index_names_every_page() -> None:
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text()
    there = [str(page.relative_to(docs)) for page in pages(ROOT) if page.is_relative_to(docs)]
    missing = [name for name in there if not name.startswith((*UNDOCUMENTED, "index.md")) and f"({name}" not in index]
    assert missing == []
