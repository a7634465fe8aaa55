"""The image's recipe keeps its rules; it is built elsewhere."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click import Context, Group

from ohmstead.cli import cli

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "packaging" / "docker" / "Dockerfile"
IGNORE = ROOT / ".dockerignore"


def instructions() -> Iterator[tuple[str, str]]:
    """Yield every instruction with its arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text())
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, arguments = line.partition(" ")
            yield name, arguments.strip()


ALL = list(instructions())
BEGINNINGS = [n for n, (name, _) in enumerate(ALL) if name == "FROM"]
BUILD, FINAL = ALL[: BEGINNINGS[-1]], ALL[BEGINNINGS[-1] :]


def given(name: str, lines: list[tuple[str, str]]) -> list[str]:
    return [arguments for word, arguments in lines if word == name]


def copied(lines: list[tuple[str, str]]) -> list[str]:
    """Return what is copied out of the context."""
    return [
        source
        for arguments in given("COPY", lines)
        if "--from" not in arguments
        for source in shlex.split(arguments)[:-1]
    ]


def test_hadolint_has_nothing_to_say() -> None:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        why = "hadolint is not installed"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    said = subprocess.run(  # noqa: S603 - a program that was just found
        [program, "--failure-threshold", "style", str(DOCKERFILE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout


def test_every_stage_begins_with_the_same_python_of_a_tag() -> None:
    images = {arguments.partition(" ")[0] for arguments in given("FROM", ALL)}
    assert len(given("FROM", ALL)) == 2
    (image,) = images
    tag = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", image)
    assert tag is not None
    assert (int(tag[1]), int(tag[2])) >= (3, 11)


def test_the_last_stage_has_no_compiler_and_no_context() -> None:
    assert copied(FINAL) == []
    assert given("COPY", FINAL) == ["--from=build /opt/ohmstead /opt/ohmstead"]
    assert not any("gcc" in arguments or "pip" in arguments for arguments in given("RUN", FINAL))


def test_dependencies_come_before_the_source_and_by_their_hashes() -> None:
    order = [source for source in copied(BUILD) if source.startswith(("requirements", "src"))]
    assert order[-1] == "src"
    installs = [
        r
        for arguments in given("RUN", BUILD)
        for r in re.findall(r"pip install.*?(?=&&|$)", arguments)
    ]
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--no-deps --no-index" in install


@pytest.mark.parametrize("name", ["container", "build"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "requirements" / f"{name}.txt").read_text())
    packages = [line for line in text.splitlines() if re.match(r"[a-z]", line)]
    assert packages != []
    assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_it_is_nobody_who_runs() -> None:
    (user,) = given("USER", FINAL)
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert FINAL.index(("USER", user)) > max(
        n for n, (word, _) in enumerate(FINAL) if word == "RUN"
    )


def test_the_health_check_is_our_own_verb() -> None:
    (check,) = given("HEALTHCHECK", FINAL)
    command = json.loads(check.partition("CMD ")[2])
    assert command == ["ohmstead", "health"]
    assert isinstance(cli, Group)
    assert command[1] in cli.list_commands(Context(cli))
    assert "--timeout=20s" in check, "longer than the verb's own patience"


def test_it_starts_without_a_shell_and_stops_in_good_order() -> None:
    assert json.loads(given("ENTRYPOINT", FINAL)[0])[0] == "python"
    assert json.loads(given("CMD", FINAL)[0]) == ["run"]
    assert given("STOPSIGNAL", FINAL) == ["SIGTERM"]


def test_what_is_kept_is_in_one_place() -> None:
    assert given("VOLUME", FINAL) == given("WORKDIR", FINAL) == ["/config"]
    (environment,) = given("ENV", FINAL)
    assert "OHMSTEAD_CONFIG=/config/ohmstead.yaml" in shlex.split(environment)


def test_its_ports_and_labels_are_told() -> None:
    assert given("EXPOSE", FINAL) == ["8080 6345 1883 9617"]
    labels = [pair.partition("=")[0] for pair in shlex.split(given("LABEL", FINAL)[0])]
    assert {label.rpartition(".")[2] for label in labels} >= {"title", "description"}
    assert all(label.startswith("org.opencontainers.image.") for label in labels)


@pytest.mark.parametrize("instruction", ["ENV", "ARG"])
def test_no_secret_is_in_it(instruction: str) -> None:
    names = " ".join(given(instruction, ALL)).upper()
    assert not re.search(r"PASSWORD|TOKEN|SECRET|_KEY", names)


def test_no_layer_keeps_the_lists_of_packages() -> None:
    for arguments in given("RUN", ALL):
        if "apt-get" in arguments:
            assert "--no-install-recommends" in arguments
            assert "rm -rf /var/lib/apt/lists/*" in arguments


@pytest.mark.parametrize("source", copied(ALL))
def test_what_is_copied_is_there_and_in_the_context(source: str) -> None:
    assert (ROOT / source).exists()
    assert sent(source)


@pytest.mark.parametrize("path", [".git", "tests", "ohmstead.yaml", "secrets.yaml", "var"])
def test_what_is_nobodys_business_stays_out_of_the_context(path: str) -> None:
    assert not sent(path)


def sent(path: str) -> bool:
    """Tell whether *path* is sent to the builder; the last line that fits decides."""
    verdict = True
    for line in IGNORE.read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and (fnmatch(path, pattern)):
            verdict = line.startswith("!")
    return verdict
