# One image for every process; the command chooses which: python -m services.orders, python -m workflows, …
# Another registry or a base with your certificates: docker build --build-arg BASE=registry.example/python:3.11 .
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONPATH=/app:/app/proto/gen

RUN groupadd --gid 10001 oms && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin oms

WORKDIR /app
COPY requirements/runtime.lock requirements/runtime.lock
RUN python -m pip install --require-hashes -r requirements/runtime.lock

COPY proto/gen proto/gen
COPY services services
COPY gateway gateway
COPY workflows workflows
COPY cli cli
COPY samples samples
COPY deploy/health.py deploy/health.py
# A checkout made under umask 077 is for its owner's eyes, and another user runs this. The root file system is read-only when it
# runs, so byte code is made now.
RUN chmod -R go+rX . && python -m compileall -q proto services gateway workflows cli deploy

# Where photos of returns are kept; a volume that is new takes its owner from here.
RUN install -d -o oms -g oms /photos

USER 10001:10001
# One place that knows how to ask; compose tells each process what is healthy for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["python", "deploy/health.py"]
CMD ["python", "-m", "cli", "--help"]
