# syntax=docker/dockerfile:1
#
#   docker build --target consumer .     the service alone
#   docker build --target localdev .     the local stand-ins that docker-compose.yml runs beside it
#
# Only packages whose hashes are in requirements/ are installed, whatever the package index offers.

# The tag is for trying out: it moves whenever Python or Debian mends something. For an image that is
# released give the digest of the base, which stays what was tested: make images PYTHON_IMAGE=…@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS python
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1


FROM python AS wheel
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
WORKDIR /build
COPY requirements/build.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY consumer consumer
# build.txt has installed hatchling: without isolation, nothing that is not pinned builds the wheel.
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist .


FROM python AS development
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
WORKDIR /build
COPY requirements/dev.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement requirements/dev.txt \
    && pip check


FROM python AS runtime
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
WORKDIR /build
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement requirements/run.txt
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    pip install --no-deps --no-index --no-cache-dir /dist/*.whl \
    && pip check


FROM python AS localdev
COPY --from=development /opt/venv /opt/venv
COPY localdev /app/localdev
ENV PATH="/opt/venv/bin:${PATH}"
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["python", "-m"]


FROM python AS consumer
COPY --from=runtime /opt/venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
USER 65532:65532
EXPOSE 8080
# Says whether coordinator and shards make progress; an outage of Nakadi or a lag does not fail it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s \
    CMD ["consumer", "health"]
# The kernel drops a SIGTERM that the first process of a container neither handles nor blocks. Blocked,
# it waits for the handler, which the service installs first.
ENTRYPOINT ["env", "--block-signal=TERM", "consumer"]
CMD ["run"]
