"""``capture`` is ``collectInto`` where the hosted service also hears speech; here only keys count."""

from __future__ import annotations

from bridge.scripts.verbs.collect_into import collecting

VERB = collecting(
    "capture",
    "capture",
    "like `collectInto`. Speech is not recognised here: only keys count, `<variable>_Full` stays empty",
    options="",
    key_options="dtmfOptions.",
)
