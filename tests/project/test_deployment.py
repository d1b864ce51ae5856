"""The image and the compose file say what the product needs, and run what bin/start runs."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bin"))
from embedded import processes  # noqa: E402

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PRODUCTION = {
    "DEBUG": "0",
    "DEMO": "0",
    "SECRET_KEY": "4f8a1d0c9b7e6352a1c0d9e8f7b6a5942c3d1e0f9a8b7c6d5e4f3a2b1c0d9e8f",
    "ALLOWED_HOSTS": "handover.example",
    "CSRF_TRUSTED_ORIGINS": "https://handover.example",
    "BEHIND_PROXY": "1",
    "DATABASE_URL": "postgres://handover@127.0.0.1:1/handover",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}


def _required_keys() -> set[str]:
    """Keys that the settings read without a default: `required("KEY")`, `env.str("KEY")`."""
    keys = set()
    for path in (ROOT / "config" / "settings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1:
                continue
            reader, argument = ast.unparse(node.func), node.args[0]
            if isinstance(argument, ast.Constant) and (reader == "required" or reader.startswith("env.")):
                keys.add(argument.value)
    return keys


def _manage(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """manage.py with the values of production; a change to None takes a value away."""
    given = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "VIRTUAL_ENV"}}
    env = {key: value for key, value in (given | PRODUCTION | changes).items() if value is not None}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_the_application_runs_what_start_runs() -> None:
    assert SERVICES["web"]["command"] == processes.web("0.0.0.0", 8000)
    assert SERVICES["worker"]["command"] == processes.WORKER
    assert SERVICES["scheduler"]["command"] == processes.BEAT
    assert f"CMD {str(processes.web('0.0.0.0', 8000)).replace(chr(39), chr(34))}" in DOCKERFILE


def test_several_web_servers_and_workers_but_one_scheduler() -> None:
    assert SERVICES["web"]["deploy"]["replicas"] > 1
    assert SERVICES["worker"]["deploy"]["replicas"] > 1
    assert SERVICES["scheduler"]["deploy"]["replicas"] == 1


def test_only_the_proxy_is_reachable() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "proxy": ["443:443"]
    }


def test_the_proxy_drops_the_twins_of_its_own_headers() -> None:
    """A WSGI server takes X_Forwarded_For and X-Forwarded-For for the same header."""
    caddyfile = COMPOSE["configs"]["caddyfile"]["content"]
    dropped = set(re.findall(r"^\s*request_header -(\w+)$", caddyfile, re.M))
    assert dropped >= {"X_Forwarded_For", "X_Forwarded_Proto"}
    assert caddyfile.index("request_header") < caddyfile.index("reverse_proxy")


def test_servers_are_there_and_pinned() -> None:
    for name, image in {
        "database": "postgres:18",
        "broker": "valkey/valkey:",
        "storage": "minio/",
        "proxy": "caddy:",
    }.items():
        assert SERVICES[name]["image"].startswith(image)
    assert not [name for name, service in SERVICES.items() if service["image"].endswith(":latest")]


@pytest.mark.parametrize("name", ["web", "worker", "database", "broker", "storage", "proxy"])
def test_health_is_checked(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", ["web", "worker", "scheduler", "setup"])
def test_every_key_that_the_settings_require_is_given(name: str) -> None:
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= _required_keys() <= set(SERVICES[name]["environment"])
    assert SERVICES[name]["environment"]["ROOT_KEY_FILE"].startswith(SERVICES[name]["volumes"][0].partition(":")[2])


def test_no_secret_stands_in_the_compose_file() -> None:
    secret = re.compile(r"SECRET|PASSWORD|TOKEN|AUTH$|ACCESS_KEY")
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert not secret.search(key) or re.fullmatch(r"\$\{\w+(:\?|:-)\}", value), key
            assert not re.search(r"://[^@]*:[^$@]+@", value.replace("${", "$").replace(":?}", "")), key


def test_every_variable_is_explained() -> None:
    example = (ROOT / ".env.example").read_text()
    for name in set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())):
        assert re.search(rf"^#?{name}=", example, re.M), name


def test_the_migration_alone_signs_in_as_the_owner_of_the_tables() -> None:
    """Row-level security holds for a role that owns nothing; whoever has the owner's address steps past it."""
    assert {name for name, one in SERVICES.items() if "DATABASE_OWNER_URL" in one.get("environment", {})} == {"setup"}
    assert "migrate" in SERVICES["setup"]["command"]
    application, owner = (SERVICES["setup"]["environment"][key] for key in ("DATABASE_URL", "DATABASE_OWNER_URL"))
    assert application.partition("@")[2] == owner.partition("@")[2], "the same database"
    assert (application.split(":")[1], owner.split(":")[1]) == ("//handover_app", "//handover")
    assert SERVICES["database"]["environment"]["POSTGRES_USER"] == "handover"
    secrets = [re.findall(r"\$\{(\w+)", address) for address in (application, owner)]
    assert secrets == [["APPLICATION_PASSWORD"], ["DATABASE_PASSWORD"]]
    for name in ("web", "worker", "scheduler"):
        assert SERVICES[name]["environment"]["DATABASE_URL"] == application
        assert "${DATABASE_PASSWORD" not in str(SERVICES[name]), name


def test_volumes_are_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_image() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert final.startswith("python:3.11-slim\n")
    assert re.findall(r"^USER (\w+)$", final, re.M)[-1] == "handover"
    assert "--require-hashes" in DOCKERFILE
    assert "pybabel compile" in final
    assert "collectstatic" in final
    assert set(re.findall(r"requirements[\w-]*\.txt", DOCKERFILE)) == {"requirements.txt"}


def test_image_takes_neither_data_nor_secrets_along() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", ".env", "tests"} <= set(ignored)


def test_image_runs_servers_that_are_elsewhere() -> None:
    """What starts services on a development machine is not even in the image; only the three verifiers of bin/ are."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert "bin/*" in ignored
    assert {line for line in ignored if line.startswith("!")} == {
        "!bin/verify-certificate",
        "!bin/verify-ledger",
        "!bin/verify-package",
    }
    embedded = (ROOT / "requirements-embedded.in").read_text()
    packages = set(re.findall(r"^([a-z][\w-]*)", embedded, re.M))
    assert packages
    assert not packages & set(re.findall(r"^([a-z][\w-]*)==", (ROOT / "requirements.txt").read_text(), re.M))


def test_production_settings_pass_the_deploy_checks() -> None:
    done = _manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_demo_is_refused_in_production() -> None:
    done = _manage("check", DEMO="1")
    assert done.returncode != 0
    assert "DEMO needs DEBUG" in done.stderr


def test_only_these_keys_are_required() -> None:
    assert _required_keys() == {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"}


@pytest.mark.parametrize("key", sorted(_required_keys()))
@pytest.mark.parametrize("value", [None, "", " "], ids=["absent", "empty", "blank"])
def test_a_missing_key_fails_at_start_and_is_named(key: str, value: str | None) -> None:
    done = _manage("check", **{key: value})
    assert done.returncode != 0
    assert re.search(rf"ImproperlyConfigured: Set the {key} environment variable", done.stderr), done.stderr


def test_another_database_fails_at_start() -> None:
    done = _manage("check", DATABASE_URL="sqlite:///handover.sqlite3")
    assert done.returncode != 0
    assert "DATABASE_URL must begin with postgres://" in done.stderr
