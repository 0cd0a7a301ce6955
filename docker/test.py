"""``make test-docker``: the images and the compose file on a real Docker engine, up to what a telephone heard."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import CACHE, engine

from bridge.lab.steps import StepFailed, Steps

COMPOSE_FILE = Path(__file__).with_name("compose.yaml")
IMAGES = ("voicebridge", "voicebridge-asterisk")
USERS = {"daemon": 10001, "asterisk": 10002, "carrier": 10002}

MESSAGE = {"from": "385123456", "to": "999001234", "text": "Hello,, this is Voicebridge."}
CALL_SECONDS = 60.0


class Installation:
    """The services of the compose file, as a project of the test's own, on a port that was free."""

    def __init__(self, compose: list[str], steps: Steps) -> None:
        os.environ["VOICEBRIDGE_PUBLISHED_PORT"] = "0"
        self._compose = [*compose, "--project-name", "voicebridge-test", "--file", str(COMPOSE_FILE)]
        self._steps = steps

    def step(self, title: str, *arguments: str) -> None:
        """Run a compose command that takes long."""
        self._steps.together({title: lambda: self._steps.call(*self._compose, *arguments)})

    def ask(self, *arguments: str) -> bytes:
        """What a compose command prints."""
        return subprocess.run([*self._compose, *arguments], check=True, stdout=subprocess.PIPE).stdout

    def inside(self, service: str, *command: str) -> bytes:
        """What a command in a container prints."""
        return self.ask("exec", "-T", service, *command)

    def remove(self) -> None:
        """Containers, network and volumes; also after an interrupt, when no step is begun any more."""
        print("Removal ...", flush=True)
        subprocess.run([*self._compose, "down", "--volumes"], check=True, capture_output=True)

    def key(self) -> str:
        settings = tomllib.loads(self.inside("daemon", "cat", "/etc/voicebridge/settings.toml").decode())
        return str(settings["api_key"])

    def rest(self, path: str, message: dict[str, str] | None = None) -> Any:
        """What the API answers, asked through the published port."""
        address = self.ask("port", "daemon", "8080").decode().strip()
        body = json.dumps(message).encode() if message else None
        headers = {"Authorization": f"App {self.key()}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{address}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - http only
            return json.load(answer)


def main() -> int:
    for interruption in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interruption, signal.default_int_handler)
    steps = Steps(CACHE / "test.log")
    try:
        with engine(steps) as compose:
            prove(Installation(compose, steps))
    except (StepFailed, AssertionError, OSError, subprocess.CalledProcessError) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print("the images and the compose file work")
    return 0


def prove(installation: Installation) -> None:
    try:
        installation.remove()  # what a test that was killed has left
        installation.step("Images", "build")
        installation.step("First start", "up", "--detach", "--wait")
        check_users(installation)
        check_ports(installation)
        check_images()
        token = check_call(installation)
        check_doctor(installation)
        key = installation.key()
        installation.step("Stop", "down")
        installation.step("Second start", "up", "--detach", "--wait")
        check_kept(installation, token, key)
    except (AssertionError, StepFailed, OSError, subprocess.CalledProcessError):
        print(installation.ask("logs", "--no-color", "--tail", "40").decode(), file=sys.stderr)
        raise
    finally:
        installation.remove()


def check_users(installation: Installation) -> None:
    users = {service: int(installation.inside(service, "id", "-u")) for service in USERS}
    equal("the users of the services", users, USERS)


def check_ports(installation: Installation) -> None:
    services = [json.loads(line) for line in installation.ask("ps", "--format", "json").splitlines()]
    published = [port for service in services for port in service["Publishers"] or [] if port["PublishedPort"]]
    equal("what is published", [(port["URL"], port["TargetPort"]) for port in published], [("127.0.0.1", 8080)])


def check_images() -> None:
    look = "find /asterisk /carrier /etc/voicebridge -type f; echo looked"
    for image in IMAGES:
        command = ["docker", "run", "--rm", image, "sh", "-c", look]
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        equal(f"configuration and secrets in the image {image}", found, b"looked\n")


def check_call(installation: Installation) -> str:
    """Returns the token of a call that was answered, and heard as it was meant."""
    token = str(installation.rest("/tts/3/single", MESSAGE)["messages"][0]["messageId"])
    print("Call ...", flush=True)
    until("the call is over", lambda: installation.rest(f"/voice/1/calls/{token}")["state"] == "done")
    [report] = installation.rest("/tts/3/reports")["results"]
    equal("the report's message", report["messageId"], token)
    equal("the report's status", report["status"]["name"], "DELIVERED_TO_HANDSET")
    equal("the report's error", report["error"]["name"], "VOICE_ANSWERED")
    calls = "cat /carrier/calls.jsonl || true"  # the file comes with the first call
    until("a telephone has rung", lambda: installation.inside("carrier", "sh", "-c", calls) != b"")
    [call] = [json.loads(line) for line in installation.inside("carrier", "sh", "-c", calls).splitlines()]
    equal("the number that rang", call["number"], MESSAGE["to"])
    assert call["heard"], "the telephone heard nothing at all"
    heard = installation.inside("carrier", "cat", call["heard"])
    spoken = installation.inside("daemon", "sh", "-c", "cat /var/lib/voicebridge/speech/prompts/*/*.ulaw")
    assert len(spoken) > 8000 * 2, f"only {len(spoken)} samples were spoken"
    assert heard == spoken, f"{len(spoken)} samples were spoken, but the {len(heard)} that were heard are not the same"
    print(f"  the telephone heard all {len(spoken)} samples as they were spoken", flush=True)
    return token


def check_doctor(installation: Installation) -> None:
    told = installation.inside("daemon", "voicebridge", "doctor").decode()
    print(told, end="", flush=True)
    assert "failed" not in told, "the doctor found something"


def check_kept(installation: Installation, token: str, key: str) -> None:
    equal("the API key after another start", installation.key(), key)
    equal("the call after another start", installation.rest(f"/voice/1/calls/{token}")["state"], "done")
    equal("the reports after another start", installation.rest("/tts/3/reports"), {"results": []})


def equal(what: str, found: object, expected: object) -> None:
    assert found == expected, f"{what}: {found}, not {expected}"


def until(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CALL_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"after {CALL_SECONDS:.0f} s it is still not so that {what}"
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
