"""Scenarios: the stored IVR scripts of accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from bridge.messages.message import Bulk
from bridge.messages.scenario import Scenario, ScenarioBody
from bridge.store.database import Database
from bridge.store.tables import scenarios


class Scenarios:
    """The IVR scenarios of each account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: str, scenario: Scenario) -> None:
        """Keep a new scenario."""
        await self._database.write(_add, account, scenario)

    async def by_id(self, account: str, ids: Collection[str]) -> dict[str, Scenario]:
        """The scenarios of these ids that the account has, by id."""
        return await self._database.read(_by_id, account, ids)

    async def search(
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
        """Scenarios, the newest first; ``name`` is any part of theirs, in upper or lower case; ``label`` is exact."""
        return await self._database.read(
            _search,
            account,
            name=name,
            label=label,
            used_from=used_from,
            used_before=used_before,
            limit=limit,
            offset=offset,
        )

    async def change(self, account: str, scenario_id: str, body: ScenarioBody, now: datetime) -> Scenario | None:
        """Replace the body of a scenario; None when the account has no such scenario."""
        return await self._database.write(_change, account, scenario_id, body, now)

    async def remove(self, account: str, scenario_id: str) -> bool:
        """Forget a scenario; messages that were launched with it keep their script. False when there was none."""
        return await self._database.write(_remove, account, scenario_id)


_BODY_FIELDS = ("name", "script", "description", "label", "notify_url", "notify_content_type", "record")

_MINE = scenarios.c.account == bindparam("of_account")
_THIS = scenarios.c.id == bindparam("scenario_id")


def _add(connection: Connection, account: str, scenario: Scenario) -> None:
    connection.execute(
        insert(scenarios),
        {
            "account": account,
            "id": scenario.id,
            "created_at": scenario.created_at,
            "updated_at": scenario.updated_at,
            "last_used_at": None,
            **_body_values(scenario.body),
        },
    )


def _by_id(connection: Connection, account: str, ids: Collection[str]) -> dict[str, Scenario]:
    rows = connection.execute(select(scenarios).where(_MINE, scenarios.c.id.in_(ids)), {"of_account": account})
    return {row["id"]: _scenario_of(row) for row in rows.mappings()}


def _search(
    connection: Connection,
    account: str,
    *,
    name: str | None,
    label: str | None,
    used_from: datetime | None,
    used_before: datetime | None,
    limit: int,
    offset: int,
) -> list[Scenario]:
    wanted = select(scenarios).where(_MINE).order_by(scenarios.c.key.desc()).limit(limit).offset(offset)
    if name is not None:
        wanted = wanted.where(scenarios.c.name.icontains(name, autoescape=True))
    if label is not None:
        wanted = wanted.where(scenarios.c.label == label)
    if used_from is not None:
        wanted = wanted.where(scenarios.c.last_used_at >= used_from)
    if used_before is not None:
        wanted = wanted.where(scenarios.c.last_used_at < used_before)
    return [_scenario_of(row) for row in connection.execute(wanted, {"of_account": account}).mappings()]


def _change(
    connection: Connection, account: str, scenario_id: str, body: ScenarioBody, now: datetime
) -> Scenario | None:
    connection.execute(
        update(scenarios).where(_MINE, _THIS).values(**_body_values(body), updated_at=now),
        {"of_account": account, "scenario_id": scenario_id},
    )
    return _by_id(connection, account, [scenario_id]).get(scenario_id)


def _remove(connection: Connection, account: str, scenario_id: str) -> bool:
    removed = connection.execute(
        delete(scenarios).where(_MINE, _THIS), {"of_account": account, "scenario_id": scenario_id}
    )
    return removed.rowcount > 0


def note_launched(connection: Connection, bulk: Bulk) -> None:
    """Note that the scenarios of a bulk's messages are in use."""
    used = {message.content.launch.scenario_id for message in bulk.messages if message.content.launch is not None}
    connection.execute(
        update(scenarios).where(_MINE, scenarios.c.id.in_(used)).values(last_used_at=bulk.created_at),
        {"of_account": bulk.account},
    )


def _body_values(body: ScenarioBody) -> dict[str, Any]:
    return {name: getattr(body, name) for name in _BODY_FIELDS}


def _scenario_of(row: RowMapping) -> Scenario:
    return Scenario(
        id=row["id"],
        body=ScenarioBody(**{name: row[name] for name in _BODY_FIELDS}),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        used_at=row["last_used_at"],
    )
