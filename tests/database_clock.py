"""The clock of a PostgreSQL server, set by a test."""

from __future__ import annotations

from datetime import datetime

import psycopg


class DatabaseClock:
    """What a server's clock says to whoever connects from now on: what it was ``set`` to last.

    SQLite has no clock of its own: there is nothing to set.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True) if url.startswith("postgresql") else None
        if self._connection is not None:
            # A function of the built-in one's name, which is found before that.
            self._connection.execute(
                f"ALTER DATABASE {self._connection.info.dbname} SET search_path = public, pg_catalog"
            )
            self._connection.execute("CREATE TABLE clock AS SELECT now()")
            self._connection.execute(
                "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now FROM public.clock'"
            )

    def set(self, now: datetime) -> None:
        if self._connection is not None:
            self._connection.execute("UPDATE public.clock SET now = %s", [now])

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
