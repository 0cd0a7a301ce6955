"""``capture`` collects keys, as ``collectInto`` does; the hosted service also hears speech, which is not done here."""

from __future__ import annotations

from bridge.scripts.verbs.collect_into import collecting

VERB = collecting(
    "capture",
    "capture",
    "like `collectInto`. Speech is not recognised here: only keys count, `<variable>_Full` stays empty",
    options="",
    key_options="dtmfOptions.",
)
