#   docker build --target consumer .     the service alone
#   docker build --target lambda --provenance=false --sbom=false .
#                                        the service's functions for AWS Lambda, which takes no
#                                        image with attestations
#   docker build --target localdev .     the local stand-ins that docker-compose.yml runs beside it
#
# Docker 25 or newer. Only packages whose hashes are in requirements/ are installed, whatever the
# package index offers, and the base is named by its digest: what is built next year is what was tested.

# Python 3.13 on Debian 13, for all platforms. To renew it, which mends what Python and Debian have
# mended, put the digest here that `docker buildx imagetools inspect python:3.13-slim-trixie` prints.
# Another base, or a mirror of this one: --build-arg PYTHON_IMAGE=…
ARG PYTHON_IMAGE=python:3.13-slim-trixie@sha256:3dd7cc108ec1493442514f5c2a871af6af0ec31d768ff6e378a93340c3b3db5f

FROM ${PYTHON_IMAGE} AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1


# The base has no bytecode, and on a read-only root nothing can keep it: each process, and so each
# health check, would compile whatever it imports. "Unchecked" bytecode has no time in it, so two
# builds make the same. pip goes, with the copy of it that ensurepip has.
FROM base AS python
RUN library="$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -rf "$library"/ensurepip "$library"/site-packages/pip* /usr/local/bin/pip* \
    && python -m compileall -q --invalidation-mode unchecked-hash \
        -x '/(test|idlelib|tkinter|turtledemo|lib2to3|pydoc_data|unittest|__phello__)/' "$library"


# pip in a place of its own installs into /opt/venv, which itself has none.
FROM base AS pip
RUN python -m venv /opt/pip \
    && python -m venv --without-pip /opt/venv
ENV PATH="/opt/pip/bin:${PATH}" \
    PIP_PYTHON=/opt/venv/bin/python
WORKDIR /build


FROM pip AS wheel
COPY requirements/build.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY consumer consumer
# build.txt has installed hatchling: without isolation, nothing that is not pinned builds the wheel.
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist .


FROM pip AS development
COPY requirements/dev.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement requirements/dev.txt \
    && pip check


FROM pip AS dependencies
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=localdev/ballast.py,target=/build/ballast.py \
    pip install --no-compile --require-hashes --no-deps --requirement requirements/run.txt \
    && python ballast.py /opt/venv \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib


# Our own code beside them, so that a change of it is a small layer of its own.
FROM dependencies AS code
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist \
    pip install --no-compile --no-deps --no-index --no-cache-dir --prefix /opt/code /dist/*.whl \
    && PYTHONPATH="$(echo /opt/code/lib/*/site-packages)" pip check \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /opt/code -p /opt/venv /opt/code


# What asks Lambda for events and calls a handler: a zip finds it in Lambda's runtime.
FROM dependencies AS client
COPY requirements/lambda.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=localdev/ballast.py,target=/build/ballast.py \
    pip install --no-compile --require-hashes --no-deps --only-binary :all: \
        --prefix /opt/client --requirement requirements/lambda.txt \
    && python ballast.py /opt/client \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /opt/client -p /opt/venv /opt/client


FROM python AS lambda
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=code /opt/code /opt/venv
COPY --from=client /opt/client /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
USER 65532:65532
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["consumer.aws_lambda.relay"]


FROM python AS localdev
COPY --from=development /opt/venv /opt/venv
COPY localdev /app/localdev
ENV PATH="/opt/venv/bin:${PATH}"
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["python", "-m"]


FROM python AS consumer
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=code /opt/code /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
USER 65532:65532
EXPOSE 8080
# Says whether the coordinator and the held shards make progress; an outage of Nakadi or a lag does not
# fail it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s \
    CMD ["consumer", "health"]
# The kernel drops a SIGTERM that the first process of a container neither handles nor blocks. Blocked,
# it waits for the handler, which the service installs first.
ENTRYPOINT ["env", "--block-signal=TERM", "consumer"]
CMD ["run"]
