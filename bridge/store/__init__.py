"""The store: all that is kept in the database, by subject."""

from bridge.store.accounts import Accounts, Credential, CredentialKind, UserExists
from bridge.store.bulks import BulkOver, BulkStanding
from bridge.store.claims import Claim, Claims
from bridge.store.errors import CommitUnknown, StoreFailed
from bridge.store.intake import DuplicateId
from bridge.store.logs import LogFilter
from bridge.store.nodes import NodeNameTaken, Nodes
from bridge.store.orphans import OpenAttempt
from bridge.store.outbox import Outbox, Push
from bridge.store.recordings import RecordedFile, Recordings
from bridge.store.store import Store
from bridge.store.trunks import TrunkLimit
from bridge.store.wakeups import Topic

__all__ = [
    "Accounts",
    "BulkOver",
    "BulkStanding",
    "Claim",
    "Claims",
    "CommitUnknown",
    "Credential",
    "CredentialKind",
    "DuplicateId",
    "LogFilter",
    "NodeNameTaken",
    "Nodes",
    "OpenAttempt",
    "Outbox",
    "Push",
    "RecordedFile",
    "Recordings",
    "Store",
    "StoreFailed",
    "Topic",
    "TrunkLimit",
    "UserExists",
]
