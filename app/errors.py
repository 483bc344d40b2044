"""Every error that Broadsheet raises on purpose.

    BroadsheetError
    ├── NotFound             no article (or other noun) of that id
    │   └── Gone             it was there, and was taken out
    ├── Moved                what stood under an id has another one now
    ├── KeyTaken             another article has the address or guid
    ├── Changed              it is not any more what the caller says it is
    ├── RequestError         what the caller sent cannot be understood
    │   ├── CursorExpired    a walk that cannot go on: from before an erasure, or another history
    │   ├── HistoryLost      what the caller has taken in is of another history
    │   ├── ParameterError   a parameter's value, by its name
    │   └── QueryError       a search query, with the position
    ├── AccessError          whoever asks may not have this
    │   ├── Unauthorized     no key, or none that is good
    │   ├── Forbidden        a good key that does not allow it
    │   └── TooManyRequests  more than one client may ask
    ├── KeyExists            a key of that name was made before
    ├── KeyMissing           no key of that name
    ├── KeyFileUnusable      the file of the first key holds none
    ├── SynonymsUnusable     the file of synonyms cannot be read, with the line
    ├── SettingRetired       a setting that no longer exists
    ├── Draining             the server is about to stop
    ├── ExtraMissing         a setting asks for a library that is not installed
    ├── StoreError           the database cannot answer now
    │   ├── FolderUnwritable its folder cannot be made or written
    │   ├── StoreInUse       another process has it open, or is replacing it
    │   ├── StoreExists      a restore would lose what is stored
    │   ├── FileExists       a backup would lose a file
    │   ├── BackupUnsound    a copy of it does not hold together
    │   ├── StoreBusy        another write has not ended in time
    │   ├── ReadTooLong      what was asked takes longer to read than it may
    │   ├── SchemaMismatch   its tables are of another version than this program
    │   └── ExtractorBusy    another process is extracting
    ├── ExtractorMissing     names cannot be found in the way that was asked for
    └── EngineError          the index cannot answer now
        ├── IndexMissing     there is none yet
        ├── IndexDamaged     its files do not hold together
        ├── IndexForeign     it was made of another database than this
        ├── EngineBusy       another process is writing it
        └── OutOfTime        a search took longer than it may

An error carries its facts as attributes; its message is made from them. HTTP statuses
belong to `api/problems.py`, exit codes to `cli`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class BroadsheetError(Exception):
    """The root of the tree above."""

    hint: str | None = None


class _AtPath(BroadsheetError):
    """What is wrong at `path`, for a `reason`; `TEXT` is the message without the two."""

    TEXT: ClassVar[str]

    def __init__(self, path: str, reason: str = "") -> None:
        super().__init__(self.TEXT.format(path=path, reason=reason))
        self.path = path
        self.reason = reason


class NotFound(BroadsheetError):
    """No `kind` (a noun of the design) is stored under `key`."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} with id {key}")
        self.kind = kind
        self.key = key


class Gone(NotFound):
    """The `kind` that was stored under `key` was taken out `at` an instant, and `why`."""

    def __init__(self, kind: str, key: str, *, why: str, at: datetime) -> None:
        super().__init__(kind, key)
        self.args = (f"{kind} {key} is {why} since {at:%Y-%m-%d %H:%M} UTC",)
        self.why = why
        self.at = at


class KeyTaken(BroadsheetError):
    """The `value` of the field `name` identifies another article, `owner`."""

    def __init__(self, name: str, value: str, owner: str) -> None:
        super().__init__(f"{name} {value} is that of another article, {owner}")
        self.name = name
        self.value = value
        self.owner = owner


class Changed(BroadsheetError):
    """The article `key` is not any more what the caller says that it is."""

    hint = "read it again"

    def __init__(self, key: str) -> None:
        super().__init__(f"article {key} has changed since it was read")
        self.key = key


class Moved(BroadsheetError):
    """The `kind` that was stored under `key` is to be found under `merged_into`."""

    def __init__(self, kind: str, key: str, merged_into: str) -> None:
        super().__init__(f"{kind} {key} is {merged_into} now")
        self.kind = kind
        self.key = key
        self.merged_into = merged_into


class RequestError(BroadsheetError):
    """What the caller sent cannot be understood; sending it again will not help."""


class CursorExpired(RequestError):
    """The cursor was good, and is not since something was erased or the database was replaced."""

    hint = "ask for the first page"

    def __init__(self, since: str = "something was erased") -> None:
        super().__init__(f"{since} since this cursor was given; start again")


class HistoryLost(RequestError):
    """What the caller has taken in is not of this database's history, by `reason`."""

    hint = "read all anew, from change 0"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the archive has another history than yours: {reason}; start again")
        self.reason = reason


class ParameterError(RequestError):
    """What stands under `name` in the `where` of a request is not what can stand there."""

    def __init__(self, name: str, reason: str, *, where: str = "query") -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.where = where
        self.reason = reason


class QueryError(RequestError):
    """A search query is malformed at `position` (characters from 0).

    `expected` says what could stand there; `corrected` is a whole query that can be read,
    where one is obvious; `where` is the part of the request that held it.
    """

    def __init__(
        self,
        reason: str,
        position: int,
        *,
        expected: str | None = None,
        hint: str | None = None,
        corrected: str | None = None,
    ) -> None:
        super().__init__(f"{reason} at position {position}")
        self.where = "query"
        self.reason = reason
        self.position = position
        self.expected = expected
        self.hint = hint
        self.corrected = corrected


class AccessError(BroadsheetError):
    """Whoever asks may not have this; the same request with another key may."""


class Unauthorized(AccessError):
    """A request needs a key and came without a good one; `reason` says how."""

    def __init__(self, reason: str, *, scope: str = "write") -> None:
        super().__init__(f"{reason}; create one: broadsheet keys create NAME --scope {scope}")
        self.reason = reason
        self.scope = scope


class Forbidden(AccessError):
    """The key of a request is good and does not allow what was asked."""


class TooManyRequests(AccessError):
    """The key or address `who` asked more than it may; it may again in `retry_after_s`."""

    def __init__(self, who: str, per_minute: int, retry_after_s: int) -> None:
        super().__init__(f"{who} may ask {per_minute:,} times a minute; ask again later")
        self.who = who
        self.per_minute = per_minute
        self.retry_after_s = retry_after_s


class KeyExists(BroadsheetError):
    """A key called `name` was made before; a revoked one keeps its name."""

    hint = "choose another name; a key that was made cannot be shown again"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a key of that name: {name}")
        self.name = name


class KeyMissing(BroadsheetError):
    """No key is called `name`."""

    hint = "see: broadsheet keys list"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no key of that name: {name}")
        self.name = name


class KeyFileUnusable(_AtPath):
    """The file of BROADSHEET_FIRST_KEY_FILE at `path` gives no key, for `reason`."""

    TEXT = "BROADSHEET_FIRST_KEY_FILE: {reason}: {path}"
    hint = "make one: echo bs_$(openssl rand -hex 36) > FILE"


class SynonymsUnusable(BroadsheetError):
    """The file of synonyms at `path` is none, for a `reason` on a `line` (None: of the whole)."""

    def __init__(self, path: str, line: int | None, reason: str) -> None:
        place = f"line {line} of {path}" if line is not None else path
        super().__init__(f"no synonyms: {place} {reason}")
        self.path = path
        self.line = line
        self.reason = reason


class SettingRetired(BroadsheetError):
    """The setting `name` no longer exists; `successor` says what stands in its place."""

    def __init__(self, name: str, successor: str) -> None:
        super().__init__(f"{name} is no setting any more, whatever its value")
        self.hint = f"unset it; {successor}"
        self.name = name
        self.successor = successor


class Draining(BroadsheetError):
    """The server is about to stop: it answers what comes, but nothing more should be sent."""

    def __init__(self) -> None:
        super().__init__("the server is about to stop")


class ExtraMissing(BroadsheetError):
    """A setting needs the optional `extra` of this package, which lacks `module` here."""

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(f"{module} is not installed")
        self.extra = extra
        self.module = module
        self.hint = f"run: pip install 'broadsheet[{extra}]'"


class StoreError(BroadsheetError):
    """The database cannot answer now: locked, full, unreadable."""


class FolderUnwritable(_AtPath, StoreError):
    """The data folder at `path` cannot be made or written, for `reason`."""

    TEXT = "the data folder cannot be written: {reason}: {path}"
    hint = "the folder must be writable by the user that Broadsheet runs as"


class StoreInUse(_AtPath, StoreError):
    """The store at `path` is not free: `reason`."""

    TEXT = "the store {reason}: {path}"
    hint = "stop the server and whatever else uses the data folder, then try again"


class StoreExists(_AtPath, StoreError):
    """A store with articles is at `path` already."""

    TEXT = "there is a store already: {path}"
    hint = "back it up, then restore with --overwrite"


class FileExists(_AtPath, StoreError):
    """The file at `path` is there already."""

    TEXT = "the file exists: {path}"
    hint = "choose another name, or --overwrite"


class BackupUnsound(_AtPath, StoreError):
    """The copy of a store at `path` does not hold together, for `reason`."""

    TEXT = "not a sound store: {reason}: {path}"


class StoreBusy(StoreError):
    """Another write has held the database for longer than one may wait."""

    def __init__(self) -> None:
        super().__init__("the database cannot answer: another write takes too long")


class ReadTooLong(StoreError):
    """What was asked of the database takes longer to read than it may."""

    hint = "ask for less: narrower filters, or dates"

    def __init__(self) -> None:
        super().__init__("the database cannot answer: what was asked takes too long to read")


class SchemaMismatch(StoreError):
    """The database's tables are of revision `found`; this program needs `wanted`."""

    hint = "run: broadsheet migrate"

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(f"the database is at revision {found}, this program needs {wanted}")
        self.found = found
        self.wanted = wanted


class ExtractorMissing(BroadsheetError):
    """The extractor `choice` cannot be opened, for `reason`."""

    hint = "install Broadsheet with its extra `entities`, or choose another extractor"

    def __init__(self, choice: str, reason: str) -> None:
        super().__init__(f"the extractor {choice} cannot be opened: {reason}")
        self.choice = choice
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Comes out of another process as it was."""
        return type(self), (self.choice, self.reason)


class ExtractorBusy(_AtPath, StoreError):
    """Another process holds the extractor's lock at `path`."""

    TEXT = "another process is extracting: {path}"


class EngineError(_AtPath):
    """The index at `path` cannot answer now, for `reason`."""

    TEXT = "{reason}: {path}"


class IndexMissing(EngineError):
    """No index has been built yet."""

    hint = "run: broadsheet sync"

    def __init__(self, path: str) -> None:
        super().__init__(path, "no index has been built")


class IndexDamaged(EngineError):
    """The files of the index do not hold together; only a rebuild helps."""

    hint = "run: broadsheet sync"


class IndexForeign(EngineError):
    """The index was made of another database, or another history: `reason` says how that shows."""

    hint = "run: broadsheet sync"

    def __init__(self, reason: str) -> None:
        super().__init__("the index was made of another database", reason)


class OutOfTime(EngineError):
    """A search whose answer is of use only when it is complete took longer than it may."""

    hint = "ask for less: a narrower query, or dates"

    def __init__(self) -> None:
        super().__init__("", "the search took longer than it may")


class EngineBusy(EngineError):
    """Another process holds the index's writer lock."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "another process is writing the index")
