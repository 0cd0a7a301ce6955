# Asterisk, for the bridge and for the carrier of the lab: which of them it is, its configuration decides.
# Debian unstable, because no Debian release has an Asterisk 20 or newer.
FROM debian:sid-slim

# A snapshot of unstable may be weeks old: that is no reason to refuse it.
RUN apt-get -o Acquire::Check-Valid-Until=false update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends asterisk \
 && rm -rf /var/lib/apt/lists/*

# The modules lie in a folder named after the processor; the configuration needs one name for all of them.
RUN mkdir -p /usr/lib/asterisk && ln -s /usr/lib/*-linux-gnu*/asterisk/modules /usr/lib/asterisk/modules

# The same group as in the daemon's image, so that Asterisk reads the daemon's speech; another user, so that it
# reads nothing else.
RUN groupadd --gid 10001 voicebridge \
 && useradd --uid 10002 --gid 10001 --no-create-home --home-dir /asterisk --shell /usr/sbin/nologin telephony \
 && install -d -m 0750 -o 10001 -g voicebridge /var/lib/voicebridge /var/lib/voicebridge/speech \
 && install -d -m 2770 -o 10001 -g voicebridge /var/lib/voicebridge/recordings /var/lib/voicebridge/journal
USER telephony

ENV CONFIGURATION=/asterisk/etc/asterisk.conf
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=6 \
    CMD asterisk -C "$CONFIGURATION" -rx "core waitfullybooted"
CMD exec asterisk -C "$CONFIGURATION" -f -n
