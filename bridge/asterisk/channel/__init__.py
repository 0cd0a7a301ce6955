"""One channel of Asterisk: its events and its commands.

``channel`` is what the rest of the program uses: events out, commands in. It is made of ``lifecycle`` (how far the
channel has come), ``limit`` (when Asterisk ends it), ``keys``, and ``session``, which has one of the ``operations``
done at a time, with ``silence`` between them. ``originate``, ``agi``, ``detector`` and ``transfers`` write what is sent
to Asterisk, and read its answers.
"""
