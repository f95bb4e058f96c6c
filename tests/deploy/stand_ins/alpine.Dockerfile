# Busybox as the shell, as in Temporal's images, which are Alpine, and their user 1000. Debian's busybox has no `nc -z`.
ARG BASE
FROM ${BASE}

RUN groupadd --gid 1000 temporal \
    && useradd --uid 1000 --gid 1000 --create-home temporal \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends busybox ca-certificates curl netcat-openbsd \
    && rm -rf /var/lib/apt/lists/* \
    && ln --symbolic --force /bin/busybox /usr/local/bin/awk \
    && ln --symbolic --force busybox /bin/sh
