"""The store as the other rooms see it: one transaction a method, run off the event loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from bridge.messages.attempt import Attempt
from bridge.messages.message import Bulk
from bridge.messages.progress import Progress, Report, State
from bridge.messages.recording import Recording
from bridge.messages.scenario import Scenario, ScenarioBody
from bridge.messages.upload import Upload
from bridge.store import (
    bulks,
    credentials,
    endings,
    intake,
    logs,
    lookups,
    outbox,
    recordings,
    scenarios,
    uploads,
    work,
)
from bridge.store.bulks import BulkStanding
from bridge.store.credentials import Credential, CredentialKind
from bridge.store.database import Database, failed
from bridge.store.logs import LogFilter
from bridge.store.migrations import migrate
from bridge.store.outbox import Push
from bridge.store.recordings import RecordedFile
from bridge.store.work import Claim


class Store:
    """Messages, attempts and reports in one database.

    ``url`` is a SQLAlchemy URL, ``sqlite:////var/lib/voicebridge/voicebridge.db``. Opening it brings the schema up to
    date. Every method raises StoreFailed when the database cannot do it; what a method changed is committed when it
    returns.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        try:
            migrate(self._database.engine)
        except SQLAlchemyError as error:
            raise failed(error) from error

    async def close(self) -> None:
        await self._database.close()

    # Intake

    async def accept(self, bulk: Bulk) -> None:
        """Keep a bulk, to be called. Raises DuplicateId; then nothing of it is kept."""
        await self._database.write(intake.accept, bulk)

    # The front desk

    async def progress(self, account: str, message_id: str) -> Progress | None:
        """One message as it stands now."""
        return await self._database.read(lookups.progress, account, message_id)

    async def bulk_counts(self, account: str, bulk_id: str) -> dict[State, int] | None:
        """How many messages of a bulk are in each state; None for an unknown bulk."""
        return await self._database.read(lookups.bulk_counts, account, bulk_id)

    async def only_message(self, account: str, bulk_id: str) -> str | None:
        """The id of a bulk's message when it has just one."""
        return await self._database.read(lookups.only_message_of, account, bulk_id)

    async def attempts(self, account: str, message_id: str) -> list[Attempt]:
        """The attempts of a message, the first one first."""
        return await self._database.read(lookups.attempts_of, account, message_id)

    async def take_reports(
        self, account: str, *, bulk_id: str | None = None, message_id: str | None = None, limit: int = 50
    ) -> list[Report]:
        """Reports that were not handed out yet, the oldest first. Each is handed out once."""
        return await self._database.write(
            lookups.take_reports,
            account,
            bulk_id=bulk_id,
            message_id=message_id,
            limit=limit,
            now=datetime.now(UTC),
        )

    async def logs(self, account: str, wanted: LogFilter, limit: int) -> list[tuple[Progress, Attempt | None]]:
        """Messages that were sent, with their latest attempts, those sent last in front."""
        return await self._database.read(logs.sent, account, wanted, limit)

    # Bulks. None is for an unknown bulk; what changes one raises BulkOver.

    async def bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Where a bulk stands."""
        return await self._database.read(bulks.standing, account, bulk_id)

    async def pause_bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have nothing more of a bulk dialled until it is resumed; its validity goes on."""
        return await self._database.write(bulks.pause, account, bulk_id)

    async def resume_bulk(self, account: str, bulk_id: str) -> BulkStanding | None:
        """Have a paused bulk dialled again."""
        return await self._database.write(bulks.resume, account, bulk_id)

    async def cancel_bulk(self, account: str, bulk_id: str) -> tuple[BulkStanding | None, list[str]]:
        """End what waits of a bulk; return also the ids of the attempts that are under way."""
        return await self._database.write(bulks.cancel, account, bulk_id, datetime.now(UTC))

    async def reschedule_bulk(self, account: str, bulk_id: str, send_at: datetime) -> BulkStanding | None:
        """Have the first of a bulk's waiting calls made at ``send_at``, the others and all validities as much later."""
        return await self._database.write(bulks.reschedule, account, bulk_id, send_at)

    # Credentials

    async def credentials(self) -> list[Credential]:
        """The credentials that are in force."""
        return await self._database.read(credentials.in_force)

    async def all_credentials(self) -> list[Credential]:
        """All credentials there ever were, the oldest first."""
        return await self._database.read(credentials.every)

    async def add_credential(self, *, account: str, kind: CredentialKind, name: str, digest: str) -> int:
        """Keep a credential; return its number. Raises UserExists."""
        return await self._database.write(
            credentials.add, account=account, kind=kind, name=name, digest=digest, now=datetime.now(UTC)
        )

    async def revoke_credential(self, number: int) -> bool:
        """Close the door to a credential; False when there is none of that number in force."""
        return await self._database.write(credentials.revoke, number, datetime.now(UTC))

    # The dialer

    async def claim_due(self, *, node: str, trunk: str, now: datetime, limit: int) -> list[Claim]:
        """Messages to call now, each with an attempt that is committed."""
        return await self._database.write(work.claim_due, node=node, trunk=trunk, now=now, limit=limit)

    async def next_due(self) -> datetime | None:
        """When the next waiting message is due or expires."""
        return await self._database.read(work.next_due)

    async def move(self, key: int, attempt_id: str, state: State, at: datetime) -> None:
        """Note how far a live call has come (ringing, in progress), and when."""
        await self._database.write_soon(work.move, key, attempt_id, state, at)

    async def release(self, key: int, attempt_id: str) -> None:
        """Give a claim back: nothing of its attempt has reached Asterisk."""
        await self._database.write(work.release, key, attempt_id, datetime.now(UTC))

    async def call_again(self, key: int, attempt: Attempt, due_at: datetime, status_id: int) -> None:
        """Keep the outcome of an attempt; its message waits for another one."""
        await self._database.write(work.call_again, key, attempt, due_at, status_id)

    async def finish(self, key: int, attempt: Attempt, *, status_id: int, error_id: int, done_at: datetime) -> None:
        """Keep the outcome of the last attempt, the message's final status and its report."""
        await self._database.write(work.finish, key, attempt, status_id=status_id, error_id=error_id, done_at=done_at)

    async def expire(self, *, now: datetime, status_id: int, error_id: int, limit: int) -> int:
        """End waiting messages whose validity is over; return how many."""
        return await self._database.write(endings.expire, now=now, status_id=status_id, error_id=error_id, limit=limit)

    async def open_attempts(self, node: str) -> list[tuple[int, Attempt]]:
        """The attempts of a node whose end it has not recorded, with their messages' keys."""
        return await self._database.read(work.open_attempts, node)

    async def begin_recording(self, account: str, key: int, recording: Recording) -> None:
        """Note that a file is going to be written, before it is; ``key`` is that of the claim."""
        await self._database.write(recordings.begin, account, key, recording)

    async def finish_recording(self, recording: Recording) -> None:
        """Keep what became of a recording; before ``finish``, so that the report has it."""
        await self._database.write(recordings.finish, recording)

    async def forget_recording(self, recording_id: str) -> None:
        """Drop a recording that never began, since nobody answered."""
        await self._database.write(recordings.forget, recording_id)

    # IVR scenarios

    async def add_scenario(self, account: str, scenario: Scenario) -> None:
        """Keep a new scenario."""
        await self._database.write(scenarios.add, account, scenario)

    async def scenarios(self, account: str, ids: Collection[str]) -> dict[str, Scenario]:
        """Those of the scenarios that the account has, by id."""
        return await self._database.read(scenarios.scenarios_by_id, account, ids)

    async def search_scenarios(
        self,
        account: str,
        *,
        name: str | None = None,
        label: str | None = None,
        used_from: datetime | None = None,
        used_before: datetime | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Scenario]:
        """Scenarios, the newest first; ``name`` is a part of theirs in any case, ``label`` is exact."""
        return await self._database.read(
            scenarios.search,
            account,
            name=name,
            label=label,
            used_from=used_from,
            used_before=used_before,
            limit=limit,
            offset=offset,
        )

    async def change_scenario(
        self, account: str, scenario_id: str, body: ScenarioBody, now: datetime
    ) -> Scenario | None:
        """Put a new body in a scenario's place; None when there is no such scenario."""
        return await self._database.write(scenarios.change, account, scenario_id, body, now)

    async def remove_scenario(self, account: str, scenario_id: str) -> bool:
        """Forget a scenario; messages launched with it keep their script. False when there was none."""
        return await self._database.write(scenarios.remove, account, scenario_id)

    async def launch(self, bulk: Bulk) -> None:
        """Keep a bulk of IVR messages as ``accept`` does, and note that their scenarios are in use."""
        await self._database.write(scenarios.launch, bulk)

    # Uploads

    async def add_upload(self, account: str, upload: Upload) -> None:
        """Note that there is a file."""
        await self._database.write(uploads.add, account, upload)

    async def uploads(self, account: str, *, limit: int, offset: int) -> list[Upload]:
        """The account's uploads, the newest first."""
        return await self._database.read(uploads.page, account, limit=limit, offset=offset)

    async def count_uploads(self, account: str) -> int:
        """How many uploads the account has."""
        return await self._database.read(uploads.count, account)

    async def use_uploads(self, account: str, ids: Collection[str], now: datetime) -> set[str]:
        """Note that scripts name these uploads; return those of them that the account has."""
        return await self._database.write(uploads.use, account, ids, now)

    async def unused_uploads(self, *, since: datetime, limit: int) -> list[str]:
        """The ids of uploads that no script has named since then."""
        return await self._database.read(uploads.unused, since=since, limit=limit)

    async def remove_upload(self, upload_id: str) -> None:
        """Forget an upload whose file is gone."""
        await self._database.write(uploads.remove, upload_id)

    # Recordings

    async def recording(self, account: str, recording_id: str) -> Recording | None:
        """One recording."""
        return await self._database.read(recordings.find, account, recording_id)

    async def call_recording(self, account: str, message_id: str, to: str) -> Recording | None:
        """The recording of the last call of a message that was recorded whole."""
        return await self._database.read(recordings.of_call, account, message_id, to)

    async def recorded_files(
        self,
        account: str,
        *,
        message_id: str | None = None,
        number: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[RecordedFile]:
        """What can be heard, the newest first."""
        return await self._database.read(
            recordings.files, account, message_id=message_id, number=number, limit=limit, offset=offset
        )

    async def expired_recordings(self, *, node: str, before: datetime, limit: int) -> list[Recording]:
        """Recordings of a node's calls from before a moment that still have a file, or may have one."""
        return await self._database.read(recordings.expired, node=node, before=before, limit=limit)

    async def recordings_with_file(self, *, node: str, after: str, limit: int) -> list[Recording]:
        """Recordings of a node's calls whose file must be there, by id from the one that follows ``after``."""
        return await self._database.read(recordings.with_file, node=node, after=after, limit=limit)

    async def recordings_left_open(
        self, *, node: str, ended_before: datetime, limit: int
    ) -> list[tuple[Recording, float]]:
        """Recordings that nobody finished although their call is over, and how many seconds it was connected."""
        return await self._database.read(recordings.left_open, node=node, ended_before=ended_before, limit=limit)

    async def known_recordings(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that belong to a recording which may have a file."""
        return await self._database.read(recordings.known, ids)

    # Push

    async def claim_pushes(
        self, *, now: datetime, until: datetime, busy: Mapping[str, int], most_at_once: int, limit: int
    ) -> list[Push]:
        """Lease up to ``limit`` reports that are to be pushed now, at most ``most_at_once`` for a server.

        ``busy`` is how many of these each server has already.
        """
        return await self._database.write(
            outbox.claim, now=now, until=until, busy=busy, most_at_once=most_at_once, limit=limit
        )

    async def push_delivered(self, push: Push, now: datetime) -> None:
        """The receiver has it."""
        await self._database.write(outbox.delivered, push, now)

    async def push_again(self, push: Push, due_at: datetime, problem: str) -> None:
        """It failed, and is tried again at ``due_at``."""
        await self._database.write(outbox.push_again, push, due_at, problem)

    async def give_up_push(self, push: Push, now: datetime, problem: str) -> None:
        """It failed for the last time."""
        await self._database.write(outbox.give_up, push, now, problem)
