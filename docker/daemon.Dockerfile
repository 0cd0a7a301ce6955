# The daemon. Debian's stable release, because unlike Asterisk everything it needs is there, and it stays as it is.
FROM debian:trixie-slim AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/voicebridge
COPY . /source
RUN /opt/voicebridge/bin/pip install --no-cache-dir /source && cp /source/docker/init.py /opt/voicebridge

FROM debian:trixie-slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates espeak-ng ffmpeg python3 \
 && rm -rf /var/lib/apt/lists/*

# The data is the daemon's own. The group is shared with Asterisk (user 10002), which reads the speech; what init.py
# writes belongs to Asterisk. A new volume takes over owner and mode of the folder that it is mounted on.
RUN groupadd --gid 10001 voicebridge \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/voicebridge --shell /usr/sbin/nologin voicebridge \
 && install -d -m 0750 -o voicebridge -g voicebridge /var/lib/voicebridge /var/lib/voicebridge/speech \
 && install -d -m 2770 -o voicebridge -g voicebridge /var/lib/voicebridge/recordings /var/lib/voicebridge/journal \
 && install -d -m 0750 -o 10002 -g voicebridge /etc/voicebridge /asterisk /carrier
COPY --from=build /opt/voicebridge /opt/voicebridge
ENV PATH=/opt/voicebridge/bin:$PATH
USER voicebridge
EXPOSE 8080

HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
CMD ["voicebridge", "serve"]
