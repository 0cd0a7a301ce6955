"""The store as the other rooms see it: a facet for each subject, a transaction for each method."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from bridge.messages.routes import Routes
from bridge.store.accounts import Accounts
from bridge.store.bulks import Bulks
from bridge.store.calls import Calls
from bridge.store.database import Database
from bridge.store.errors import StoreFailed
from bridge.store.messages import Messages
from bridge.store.migrations import migrate, refuse_other_schema
from bridge.store.nodes import Nodes
from bridge.store.outbox import Outbox
from bridge.store.recordings import Recordings
from bridge.store.reports import Reports
from bridge.store.scenarios import Scenarios
from bridge.store.uploads import Uploads
from bridge.store.wakeups import Topic
from bridge.telephony.formats import Formats

_ONE_TRUNK = Routes([("", "trunk")])
_PLAIN_DIGITS = Formats()


class Store:
    """All that is kept in one database, by subject; run off the event loop.

    ``url`` is a SQLAlchemy URL, ``sqlite:////var/lib/voicebridge/voicebridge.db``. Opening it brings the schema up to
    date; without ``migrates`` it refuses a schema that is not. Raises SchemaUnknown, SchemaOld. Every method of every
    subject raises StoreFailed when the database cannot do it; what a method changed is committed when it returns.
    ``formats`` say what trunks are sent; ``place`` is the id of the data folder, which tells nodes of the same name
    apart.
    """

    def __init__(
        self,
        url: str,
        routes: Routes = _ONE_TRUNK,
        *,
        formats: Formats = _PLAIN_DIGITS,
        place: str = "",
        migrates: bool = True,
    ) -> None:
        self._database = database = Database(url)
        try:
            if migrates:
                migrate(database.engine)
            else:
                refuse_other_schema(database.engine)
        except BaseException:
            database.close_now()
            raise
        self.messages = Messages(database, routes)
        self.bulks = Bulks(database)
        self.nodes = Nodes(database, place)
        self.calls = Calls(database, self.nodes, formats)
        self.reports = Reports(database)
        self.outbox = Outbox(database)
        self.recordings = Recordings(database)
        self.uploads = Uploads(database)
        self.scenarios = Scenarios(database)
        self.accounts = Accounts(database)

    async def hear(self) -> None:
        """Hear of what other nodes commit, until cancelled; returns at once where there are none."""
        await self._database.listen()

    async def close(self) -> None:
        await self._database.close()

    async def check(self) -> None:
        """Make sure that the database answers. Raises StoreFailed also when it refused a write of late."""
        await self._database.read(_sign_of_life)
        if refusal := self._database.refusal:
            raise StoreFailed(refusal)

    def subscribe(self, topic: Topic, callback: Callable[[], None]) -> None:
        """Have ``callback`` called on the event loop after any node's commit that may bring work of ``topic``."""
        self._database.wakeups.subscribe(topic, callback)


def _sign_of_life(connection: Connection) -> None:
    connection.execute(select(1))
