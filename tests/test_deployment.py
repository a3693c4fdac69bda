"""The image and the compose file, read as text: no container runs here. The health check does run."""

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from app.core.settings import Settings
from tests.servers import free_port, serving

ROOT = Path(__file__).parent.parent
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = sorted(name for name, service in SERVICES.items() if service["restart"] != "no")
PAGE = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")

# A folded line is one instruction.
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
INSTRUCTIONS = [
    (line.split(None, 1)[0], line.split(None, 1)[1].strip())
    for line in DOCKERFILE.splitlines()
    if re.match(r"[A-Z]+ ", line)
]
STAGES = [number for number, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM"]
FINAL = INSTRUCTIONS[STAGES[-1] :]
ENVIRONMENT = dict(
    pair.split("=", 1) for word, text in FINAL if word == "ENV" for pair in text.split()
)

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN_KEY")
every_service = pytest.mark.parametrize("name", sorted(SERVICES))
every_lasting = pytest.mark.parametrize("name", LASTING)


def given(word: str) -> list[str]:
    """What the instructions of that name in the final stage say."""
    return [text for found, text in FINAL if found == word]


def copied() -> list[str]:
    """What the Dockerfile takes from the repository."""
    sources = []
    for word, text in INSTRUCTIONS:
        if word == "COPY" and not text.startswith("--from="):
            sources += text.split()[:-1]
    return [source.removeprefix("./") for source in sources]


def sent(path: str) -> bool:
    """Whether .dockerignore lets a path through to the builder; its last matching line decides."""
    through = True
    parts = path.split("/")
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        tried = above if not pattern.startswith("**/") else parts
        if any(fnmatch(place, pattern.removeprefix("**/")) for place in tried):
            through = line.startswith("!")
    return through


def images() -> list[str]:
    """Every image that is fetched: those of the compose file but our own, and the bases of ours."""
    fetched = [s["image"] for s in SERVICES.values() if s["image"] != SERVICES["api"]["image"]]
    return sorted({*fetched, *(INSTRUCTIONS[stage][1].split()[0] for stage in STAGES)})


def test_only_settings_that_exist_are_set() -> None:
    known = {f"TANDEM_{name.upper()}" for name in Settings.model_fields}
    text = COMPOSE_TEXT + DOCKERFILE
    named = set(re.findall(r"\bTANDEM_[A-Z0-9_]+\b", text))
    assert {"TANDEM_DATABASE_URL", "TANDEM_PUBLIC_URL", "TANDEM_VAR"} <= named
    assert named <= known


def test_a_secret_has_no_default_and_its_absence_says_what_to_do() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            holders = re.findall(r"\$\{(\w+)([^}]*)\}", str(value))
            if SECRET.search(key):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), f"{name}: {key} has a default"
            for variable, rest in holders:
                if SECRET.search(variable):
                    assert re.match(r":\?put it into \.env, made with ", rest), f"{name}: {key}"
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT))
    assert len([name for name in required if SECRET.search(name)]) > 1
    assert "TANDEM_PUBLIC_URL" in required
    assert all(f"{name}=" in PAGE for name in required), "step 2 of the page makes what is required"


def test_no_secret_can_enter_the_image_or_the_repository() -> None:
    for word, text in INSTRUCTIONS:
        assert word != "ARG"
        assert word != "ENV" or not SECRET.search(text)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/.env" in ignored
    for path in (
        ".env",
        ".git/config",
        "var/demo.json",
        "tests/worlds.py",
        "app/__pycache__/x",
    ):
        assert not sent(path), f"{path} is sent to the builder"


@pytest.mark.parametrize("source", copied())
def test_what_the_image_takes_exists_and_is_sent(source: str) -> None:
    assert (ROOT / source).exists()
    assert sent(source)
    if (ROOT / source).is_dir():
        files = [file for file in (ROOT / source).rglob("*") if "__pycache__" not in file.parts]
        assert all(sent(file.relative_to(ROOT).as_posix()) for file in files)


def test_the_image_has_what_migrations_need_and_no_test() -> None:
    taken = set(copied())
    assert {"alembic", "alembic.ini", "app", "requirements/app.lock"} <= taken
    assert not taken & {".", "tests", "bench", "docs"}


def test_dependencies_are_installed_by_their_hashes_alone() -> None:
    commands = [text for word, text in INSTRUCTIONS if word == "RUN"]
    steps = [step for text in commands for step in text.split("&&") if " install " in step]
    fetching = [step for step in steps if "pip" in step and "--no-deps" not in step]
    assert fetching
    for step in fetching:
        assert "--require-hashes" in step
        assert "--only-binary :all:" in step
    assert any("/app.lock" in step for step in fetching)


@pytest.mark.parametrize("image", images())
def test_an_image_is_pinned_and_names_no_host(image: str) -> None:
    name, _, tag = image.partition(":")
    assert re.match(r"\d", tag), "a version"
    assert "latest" not in tag
    assert re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)?", name), "no host"


def test_the_image_runs_as_nobody_in_particular_and_by_itself() -> None:
    (user,) = given("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert [json.loads(command) for command in given("CMD")] == [["tandem", "serve"]]
    assert ENVIRONMENT["TANDEM_HOST"] == "0.0.0.0"
    assert ENVIRONMENT["PYTHONUNBUFFERED"] == "1"
    assert given("EXPOSE") == [ENVIRONMENT["TANDEM_PORT"]]
    build = [text for _, text in INSTRUCTIONS[: STAGES[-1]]]
    assert not any("apt-get" in text for text in [*build, *given("RUN")])


@every_service
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]
    # Ours has its user in the image.
    assert "user" not in service or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert "user" in service or service["image"] == SERVICES["api"]["image"]


@every_lasting
def test_a_lasting_service_is_watched_and_may_end_in_order(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) > 20


def test_the_api_waits_for_the_schema_and_the_schema_for_the_database() -> None:
    migrations = SERVICES["migrations"]
    done, healthy = "service_completed_successfully", "service_healthy"
    assert SERVICES["api"]["depends_on"]["migrations"] == {"condition": done}
    assert migrations["depends_on"]["postgres"] == {"condition": healthy}
    assert migrations["command"] == ["tandem", "migrate"]
    assert migrations["image"] == SERVICES["api"]["image"]
    assert migrations["environment"] == SERVICES["api"]["environment"]


def test_only_the_api_is_published_and_only_on_the_machine_itself() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    (published,) = SERVICES["api"]["ports"]
    port = SERVICES["api"]["environment"]["TANDEM_PORT"]
    assert published == f"${{API_ADDRESS:-127.0.0.1:8000}}:{port}"
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["storage"]["networks"] == ["back"]


def test_what_must_last_is_in_named_volumes() -> None:
    api = SERVICES["api"]
    assert api["volumes"] == [f"var:{api['environment']['TANDEM_VAR']}"]
    assert ENVIRONMENT["TANDEM_VAR"] == api["environment"]["TANDEM_VAR"]
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    assert {volume.split(":")[0] for volume in mounted} == set(COMPOSE["volumes"])


def test_the_page_explains_every_service_and_every_line_of_its_own() -> None:
    assert all(f"| `{name}` |" in PAGE for name in SERVICES)
    lines = {
        name for name in re.findall(r"\$\{(\w+)", COMPOSE_TEXT) if not name.startswith("TANDEM_")
    }
    assert all(f"| `{name}` |" in PAGE for name in lines)


def health_check() -> list[str]:
    """The command that the image and the compose file agree on."""
    (text,) = given("HEALTHCHECK")
    found: list[str] = json.loads(text.partition("CMD ")[2])
    assert ["CMD", *found] == SERVICES["api"]["healthcheck"]["test"]
    return found


def asked(port: int) -> int:
    """What the health check ends with, on a machine whose environment names a proxy."""
    _, *arguments = health_check()
    silent = f"http://127.0.0.1:{free_port()}"
    return subprocess.run(
        [sys.executable, *arguments],
        env={"TANDEM_PORT": str(port), "http_proxy": silent, "HTTP_PROXY": silent},
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    ).returncode


def test_the_health_check_knows_a_ready_server_from_one_that_is_gone(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path / 'tandem.db'}", tmp_path) as server:
        assert asked(server.port) == 0
        server.stop()
        assert asked(server.port) != 0


class Unready(BaseHTTPRequestHandler):
    """Answers as Tandem does while its database is away."""

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_the_health_check_knows_a_server_that_answers_503() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Unready) as server:
        Thread(target=server.serve_forever).start()
        try:
            assert asked(server.server_port) != 0
        finally:
            server.shutdown()
