"""What is kept beside messages: credentials, IVR scenarios, uploads and recordings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from bridge.messages.recording import Recording
from bridge.messages.scenario import Scenario, ScenarioBody
from bridge.messages.upload import Upload
from bridge.store import credentials, recordings, scenarios, uploads
from bridge.store.credentials import Credential, CredentialKind
from bridge.store.database import Database
from bridge.store.recordings import RecordedFile


class Library:
    """The part of the store that no message waits in. Every method raises StoreFailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

    async def known_uploads(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that are uploads."""
        return await self._database.read(uploads.known, ids)

    async def remove_upload(self, upload_id: str) -> None:
        """Forget an upload whose file is gone."""
        await self._database.write(uploads.remove, upload_id)

    # Recordings

    async def begin_recording(self, account: str, key: int, recording: Recording) -> bool:
        """Note that a file is going to be written, before it is; ``key`` is that of the claim.

        Once, however often it is asked for. False when the attempt is over, or was given back.
        """
        return await self._database.write(recordings.begin, account, key, recording)

    async def finish_recording(self, recording: Recording) -> bool:
        """Keep what became of a recording; before ``finish``, so that the report has it. False when it is known."""
        return await self._database.write(recordings.finish, recording)

    async def recording_deleted(self, recording_id: str) -> None:
        """Note that a recording's time was over, and its file is gone."""
        await self._database.write(recordings.deleted, recording_id)

    async def recording_stored(self, recording_id: str) -> bool:
        """Note that a finished recording's file is in object storage now; False when it is wanted no longer."""
        return await self._database.write(recordings.stored, recording_id)

    async def recording_lost(self, recording_id: str, node: str) -> bool:
        """Note that a node no longer has the file that it should have; False when it need not have it."""
        return await self._database.write(recordings.lost, recording_id, node)

    async def forget_recording(self, recording_id: str) -> None:
        """Drop a recording that never began, since nobody answered."""
        await self._database.write(recordings.forget, recording_id)

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

    async def expired_recordings(self, *, before: datetime, limit: int) -> list[Recording]:
        """Recordings from before a moment that still have a file, or may have one."""
        return await self._database.read(recordings.expired, before=before, limit=limit)

    async def recordings_with_file(self, *, node: str, after: str, limit: int) -> list[Recording]:
        """Recordings whose file must be on a node's disk, by id from the one that follows ``after``."""
        return await self._database.read(recordings.with_file, node=node, after=after, limit=limit)

    async def recordings_left_open(
        self, *, node: str, ended_before: datetime, limit: int
    ) -> list[tuple[Recording, float]]:
        """Recordings that nobody finished although their call is over, and how many seconds it was connected."""
        return await self._database.read(recordings.left_open, node=node, ended_before=ended_before, limit=limit)

    async def known_recordings(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that belong to a recording which may have a file on a node's disk."""
        return await self._database.read(recordings.known, ids)
