"""One channel: what happens on it, and what is done there.

``channel`` is what whoever has the call sees of it: events out, commands in. Behind it stand ``lifecycle`` (how far the
channel has come), ``limit`` (when Asterisk ends it), ``keys``, and ``session``, which has one of the ``operations``
done at a time, with ``silence`` between them. ``originate``, ``agi``, ``detector`` and ``transfers`` are what Asterisk
is told, word by word.
"""
