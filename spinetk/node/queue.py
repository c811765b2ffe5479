"""Queue: what the node has accepted and how far each thing is, in an SQLite file that survives a kill.

A *unit* is what is read at once: one instance of a radiograph, or one series of slices. It is named by a keyed hash of
its UID, so neither the file nor the log gives anyone away. Its states, each entered only when its work is on disk::

    received -> made -> sent            results were made, then stored by the archive
             -> passed                  no rule wants it
             -> failed                  it cannot be read, or the archive will not take its results
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spinetk.errors import InputError

MOST_REMARKS = 1_000
STATES = ("received", "made", "sent", "passed", "failed")
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS instance (id TEXT PRIMARY KEY, unit TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unit (
    id TEXT PRIMARY KEY, path TEXT NOT NULL, state TEXT NOT NULL, received REAL NOT NULL, ready REAL NOT NULL,
    changed REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '',
    picture TEXT NOT NULL DEFAULT '', maker TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS remark (id INTEGER PRIMARY KEY, unit TEXT NOT NULL, said TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS unit_ready ON unit (state, ready);
CREATE INDEX IF NOT EXISTS instance_unit ON instance (unit);
"""


@dataclass(frozen=True)
class Unit:
    """One entry of the queue.

    Attributes:
        id: 16 hexadecimal digits.
        path: File or series folder, relative to the node's folder.
        state: One of ``STATES``.
        received: When it first came in, seconds since 1970; its results carry this time.
        ready: Not before this time anything is done with it.
        changed: When it entered its state.
        tries: How often its present state's work was begun.
        why: What was last said of it.
        picture: Digests of what its results were made of (:mod:`spinetk.node.reading`), empty before.
        maker: What decided or made its results: rules, model, options.
    """

    id: str
    path: str
    state: str
    received: float
    ready: float
    changed: float
    tries: int
    why: str
    picture: str
    maker: str


COLUMNS = "id, path, state, received, ready, changed, tries, why, picture, maker"


class Queue:
    """The queue of a node. Any thread may use it.

    Args:
        path: The SQLite file; made when it is missing.
        read_only: Only look, such as for ``status``.

    Raises:
        InputError: There is no such file to look at, or it is not a queue.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if read_only and not path.is_file():
            raise InputError(path.parent, "holds no node", "give the --folder of a node")
        self._lock = threading.RLock()
        # Whoever holds it has the queue and the files it names for himself; it is notified of every change.
        self.changed = threading.Condition(self._lock)
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            if read_only:
                self._db.execute("PRAGMA query_only = ON")
                self._db.execute("SELECT COUNT(*) FROM unit")
            else:
                # With FULL, a commit is on the disk when it returns.
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.executescript(SCHEMA)
                path.chmod(0o600)
        except sqlite3.DatabaseError as error:
            raise InputError(path, "is not the queue of a node", "give the --folder of a node") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self.changed.notify_all()

    def meta(self, name: str, value: str | None = None) -> str:
        """A lasting value of the node; ``value`` replaces it."""
        if value is not None:
            with self._commit() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            return value
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else ""

    def salt(self) -> str:
        """Secret of the node: names of units cannot be checked against UIDs without it."""
        with self._commit() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (secrets.token_hex(16),))
        return self.meta("salt")

    def known(self, instance: str) -> tuple[str, Unit] | None:
        """Digest and unit of an instance that came in before, or None."""
        with self._lock:
            row = self._db.execute("SELECT digest, unit FROM instance WHERE id = ?", (instance,)).fetchone()
            unit = self.get(row[1]) if row else None
        return None if row is None or unit is None else (row[0], unit)

    def instances(self, unit: Unit) -> int:
        """How many instances of a unit have come in, whether or not their files are still there."""
        with self._lock:
            row = self._db.execute("SELECT COUNT(*) FROM instance WHERE unit = ?", (unit.id,)).fetchone()
        return int(row[0])

    def add(self, instance: str, digest: str, unit: str, path: str, ready: float) -> None:
        """An instance is on disk: its unit is to be read, from ``ready`` on; anew when it had been already."""
        now = time.time()
        with self._commit() as db:
            db.execute("INSERT OR REPLACE INTO instance VALUES (?, ?, ?)", (instance, unit, digest))
            db.execute(
                "INSERT INTO unit (id, path, state, received, ready, changed) VALUES (?, ?, 'received', ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET path = excluded.path, state = 'received', ready = excluded.ready, "
                "changed = excluded.changed, tries = 0, why = ''",
                (unit, path, now, ready, now),
            )

    def next(self, state: str, now: float) -> Unit | None:
        """The unit in a state that has waited longest."""
        query = f"SELECT {COLUMNS} FROM unit WHERE state = ? AND ready <= ? ORDER BY ready, id LIMIT 1"
        with self._lock:
            row = self._db.execute(query, (state, now)).fetchone()
        return Unit(*row) if row else None

    def get(self, unit: str) -> Unit | None:
        """A unit by name."""
        with self._lock:
            row = self._db.execute(f"SELECT {COLUMNS} FROM unit WHERE id = ?", (unit,)).fetchone()
        return Unit(*row) if row else None

    def begin(self, unit: Unit) -> int:
        """Note that work on a unit begins, before it does: a unit that kills the process is not tried for ever.

        After a kill it comes behind all others: it does not hold them up, and whoever kills the node again and again
        seldom meets the same unit.
        """
        with self._commit() as db:
            db.execute("UPDATE unit SET tries = tries + 1, ready = ? WHERE id = ?", (time.time(), unit.id))
        return unit.tries + 1

    def move(
        self, unit: Unit, state: str, why: str = "", *, picture: str | None = None, maker: str | None = None
    ) -> bool:
        """A unit enters a state, unless more of it came in since ``unit`` was looked up; whether it did."""
        now = time.time()
        with self._commit() as db:
            done = db.execute(
                "UPDATE unit SET state = ?, why = ?, picture = COALESCE(?, picture), maker = COALESCE(?, maker), "
                "tries = 0, ready = ?, changed = ? WHERE id = ? AND state = ? AND changed = ?",
                (state, why, picture, maker, now, now, unit.id, unit.state, unit.changed),
            )
        return done.rowcount == 1

    def remark(self, unit: Unit, said: str) -> None:
        """Note what a user should know of a unit, whatever becomes of it; of many the last are kept."""
        with self._commit() as db:
            db.execute("DELETE FROM remark WHERE unit = ? AND said = ?", (unit.id, said))
            number = db.execute("INSERT INTO remark (unit, said) VALUES (?, ?)", (unit.id, said)).lastrowid or 0
            db.execute("DELETE FROM remark WHERE id <= ?", (number - MOST_REMARKS,))

    def remarks(self, count: int) -> list[tuple[str, str]]:
        """(unit, what was said) of the latest remarks, the newest first; none in the queue of an older version."""
        with self._lock:
            known = self._db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'remark'").fetchone()
            query = "SELECT unit, said FROM remark ORDER BY id DESC LIMIT ?"
            return self._db.execute(query, (count,)).fetchall() if known else []

    def later(self, unit: Unit, seconds: float, why: str) -> None:
        """Try again after some seconds."""
        with self._commit() as db:
            db.execute(
                "UPDATE unit SET ready = ?, why = ? WHERE id = ? AND state = ? AND changed = ?",
                (time.time() + seconds, why, unit.id, unit.state, unit.changed),
            )

    def later_all(self, state: str, seconds: float, why: str) -> None:
        """Nothing in a state is tried again before some seconds; 0: at once."""
        with self._commit() as db:
            db.execute("UPDATE unit SET ready = ?, why = ? WHERE state = ?", (time.time() + seconds, why, state))

    def untried(self, unit: Unit) -> None:
        """Take back what `begin` noted: the work was stopped from outside."""
        with self._commit() as db:
            db.execute("UPDATE unit SET tries = MAX(tries - 1, 0) WHERE id = ?", (unit.id,))

    def old(self, states: tuple[str, ...], before: float) -> list[Unit]:
        """Units that entered one of some states before a time."""
        marks = ",".join("?" * len(states))
        query = f"SELECT {COLUMNS} FROM unit WHERE state IN ({marks}) AND changed < ? AND path != ''"
        with self._lock:
            return [Unit(*row) for row in self._db.execute(query, (*states, before)).fetchall()]

    def remove_files(self, unit: Unit, folder: Path) -> None:
        """Remove the files of a unit, unless more of it came in since ``unit`` was looked up."""
        with self.changed:
            if self.get(unit.id) != unit:
                return
            path = folder / unit.path
            for file in list(path.glob("*.dcm")) if path.is_dir() else [path]:
                file.unlink(missing_ok=True)
            with self._commit() as db:
                db.execute("UPDATE unit SET path = '' WHERE id = ?", (unit.id,))

    def counts(self) -> dict[str, int]:
        """How many units are in each state."""
        with self._lock:
            found = dict(self._db.execute("SELECT state, COUNT(*) FROM unit GROUP BY state").fetchall())
        return {state: int(found.get(state, 0)) for state in STATES}

    def waiting(self, state: str) -> Unit | None:
        """The oldest unit in a state, ready or not."""
        query = f"SELECT {COLUMNS} FROM unit WHERE state = ? ORDER BY received LIMIT 1"
        with self._lock:
            row = self._db.execute(query, (state,)).fetchone()
        return Unit(*row) if row else None

    def latest(self, state: str, count: int) -> list[Unit]:
        """The units that entered a state last, the newest first."""
        query = f"SELECT {COLUMNS} FROM unit WHERE state = ? ORDER BY changed DESC LIMIT ?"
        with self._lock:
            return [Unit(*row) for row in self._db.execute(query, (state, count)).fetchall()]
