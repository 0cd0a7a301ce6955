"""IVR scenarios."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from bridge.messages.message import Bulk
from bridge.messages.routes import Routes
from bridge.messages.scenario import Scenario, ScenarioBody
from bridge.store.intake import accept
from bridge.store.tables import scenarios

_BODY_FIELDS = ("name", "script", "description", "label", "notify_url", "notify_content_type", "record")

_MINE = scenarios.c.account == bindparam("of_account")
_THIS = scenarios.c.id == bindparam("scenario_id")


def add(connection: Connection, account: str, scenario: Scenario) -> None:
    """Keep a new scenario."""
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


def scenarios_by_id(connection: Connection, account: str, ids: Collection[str]) -> dict[str, Scenario]:
    """Those of the scenarios that the account has."""
    rows = connection.execute(select(scenarios).where(_MINE, scenarios.c.id.in_(ids)), {"of_account": account})
    return {row["id"]: _scenario_of(row) for row in rows.mappings()}


def search(
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
    """Scenarios, the newest first; ``name`` is a part of theirs in any case, ``label`` is exact."""
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


def change(
    connection: Connection, account: str, scenario_id: str, body: ScenarioBody, now: datetime
) -> Scenario | None:
    """Put a new body in a scenario's place; None when the account has no such scenario."""
    connection.execute(
        update(scenarios).where(_MINE, _THIS).values(**_body_values(body), updated_at=now),
        {"of_account": account, "scenario_id": scenario_id},
    )
    return scenarios_by_id(connection, account, [scenario_id]).get(scenario_id)


def remove(connection: Connection, account: str, scenario_id: str) -> bool:
    """Forget a scenario; messages that were launched with it keep their script. False when there was none."""
    removed = connection.execute(
        delete(scenarios).where(_MINE, _THIS), {"of_account": account, "scenario_id": scenario_id}
    )
    return removed.rowcount > 0


def launch(connection: Connection, bulk: Bulk, numbers: Routes) -> None:
    """Keep a bulk of IVR messages, and note that their scenarios are in use. Raises DuplicateId."""
    accept(connection, bulk, numbers)
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
