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
import wave
from array import array
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from engine import CACHE, engine

from bridge.lab.steps import StepFailed, Steps

COMPOSE_FILE = Path(__file__).with_name("compose.yaml")
IMAGES = ("voicebridge", "voicebridge-asterisk")
USERS = {"daemon": 10001, "asterisk": 10002, "carrier": 10002}

TEXT = "Hello,, this is Voicebridge."
LISTENS = "999001234"
RINGS_LONG = "9993201234"
"""For 20 s: a daemon that is killed meanwhile is there again before the answer."""

CALL_SECONDS = 60.0
STOP_SECONDS = 20.0
SAMPLES_A_SECOND = 8000
LOUD = 2000
RECORDED_WITHIN_SECONDS = 0.1


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

    def rest(self, path: str, message: dict[str, Any] | None = None) -> Any:
        """What the API answers."""
        address = self.ask("port", "daemon", "8080").decode().strip()
        return json.loads(self.fetch(f"http://{address}{path}", message))

    def fetch(self, url: str, message: dict[str, Any] | None = None) -> bytes:
        """The body of its answer, asked for through the published port."""
        body = json.dumps({"messages": [message]}).encode() if message else None
        headers = {"Authorization": f"App {self.key()}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - http only
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - http only
            return bytes(answer.read())


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
        check_killed_daemon(installation)
        key = installation.key()
        check_stop(installation)
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
    """Returns the token of a call that was answered, heard as it was meant, recorded and journaled."""
    print("Call ...", flush=True)
    token = place(installation, LISTENS, record=True)
    attempt = delivered(installation, token)
    check_heard(installation, LISTENS)
    check_recording(installation, attempt)
    check_journal(installation, attempt["attemptId"])
    return token


def check_killed_daemon(installation: Installation) -> None:
    """The telephone goes on ringing, and its call is taken up again: it rings once, and hears everything."""
    print("Call whose daemon is killed ...", flush=True)
    token = place(installation, RINGS_LONG)
    until("the telephone rings", lambda: state(installation, token) == "ringing")
    installation.step("Daemon killed", "kill", "--signal", "KILL", "daemon")
    installation.step("Daemon again", "up", "--detach", "--wait", "--no-deps", "daemon")
    equal("the call when the daemon is there again", state(installation, token), "ringing")
    attempt = delivered(installation, token)
    check_heard(installation, RINGS_LONG)
    check_journal(installation, attempt["attemptId"])


def place(installation: Installation, number: str, **members: Any) -> str:
    message = {"from": "385123456", "destinations": [{"to": number}], "text": TEXT, **members}
    return str(installation.rest("/tts/3/advanced", message)["messages"][0]["messageId"])


def state(installation: Installation, token: str) -> str:
    return str(installation.rest(f"/voice/1/calls/{token}")["state"])


def delivered(installation: Installation, token: str) -> dict[str, Any]:
    """The only attempt of a message, when its call is over, was answered, and has the only report there is."""
    until("the call is over", lambda: state(installation, token) == "done")
    reports = installation.rest("/tts/3/reports")["results"]
    told = [(report["messageId"], report["status"]["name"], report["error"]["name"]) for report in reports]
    equal("the reports", told, [(token, "DELIVERED_TO_HANDSET", "VOICE_ANSWERED")])
    attempts: list[dict[str, Any]] = installation.rest(f"/voice/1/calls/{token}/cdr")["attempts"]
    equal("the number of attempts", len(attempts), 1)
    return attempts[0]


def check_heard(installation: Installation, number: str) -> None:
    """The telephone rang once, and heard what was spoken."""
    until("the telephone has hung up", lambda: calls_of(installation, number) != [])
    calls = calls_of(installation, number)
    equal("how often the telephone rang", len(calls), 1)
    assert calls[0]["heard"], "the telephone heard nothing at all"
    heard = installation.inside("carrier", "cat", calls[0]["heard"])
    spoken = installation.inside("daemon", "sh", "-c", "cat /var/lib/voicebridge/speech/prompts/*/*.ulaw")
    assert len(spoken) > SAMPLES_A_SECOND * 2, f"only {len(spoken)} samples were spoken"
    assert heard == spoken, f"{len(spoken)} samples were spoken, but the {len(heard)} that were heard are not the same"
    print(f"  the telephone heard all {len(spoken)} samples as they were spoken", flush=True)


def calls_of(installation: Installation, number: str) -> list[dict[str, Any]]:
    lines = installation.inside("carrier", "sh", "-c", "cat /carrier/calls.jsonl || true")  # comes with the first call
    return [call for call in map(json.loads, lines.splitlines()) if call["number"] == number]


def check_recording(installation: Installation, attempt: dict[str, Any]) -> None:
    """It is as long as the call, and what was spoken is in it."""
    equal("the states of the recordings", [file["state"] for file in attempt["recordings"]], ["available"])
    with wave.open(BytesIO(installation.fetch(attempt["recordings"][0]["url"]))) as audio:
        samples = array("h", audio.readframes(audio.getnframes()))
    seconds, called = len(samples) / SAMPLES_A_SECOND, attempt["callSeconds"]
    assert abs(seconds - called) < RECORDED_WITHIN_SECONDS, f"{seconds:.2f} s were recorded of a call of {called} s"
    assert max(samples) > LOUD, "the recording is silent"
    print(f"  all {called} s were recorded", flush=True)


def check_journal(installation: Installation, attempt_id: str) -> None:
    """Asterisk has written it, and the daemon, another user, can read it."""
    lines = installation.inside("daemon", "sh", "-c", "cat /var/lib/voicebridge/journal/* || true")
    told = [
        events
        for _, channel, events in (line.split(" ", 2) for line in lines.decode().splitlines())
        if channel == attempt_id
    ]
    equal("the call's lines in the journal", told, ["dialling", "answered", "ended 16 Up caller 200"])


def check_doctor(installation: Installation) -> None:
    told = installation.inside("daemon", "voicebridge", "doctor").decode()
    print(told, end="", flush=True)
    assert "failed" not in told, "the doctor found something"
    assert "ok      journal folder" in told, "the doctor did not look at the journal"


def check_stop(installation: Installation) -> None:
    """Nobody waits for the end of the grace period: not even when the daemon is just starting."""
    installation.step("Restart", "restart", "--no-deps", "daemon")
    began = time.monotonic()
    installation.step("Stop", "down")
    seconds = time.monotonic() - began
    assert seconds < STOP_SECONDS, f"the stop took {seconds:.0f} s"


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
