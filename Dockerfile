# opsmail and what it needs, pinned by hashes, and nothing else: docs/container.md tells how to use it.
FROM python:3.13-slim AS build

WORKDIR /source
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt \
    && python -m venv /opt/opsmail \
    && /opt/opsmail/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY LICENSE README.md pyproject.toml ./
COPY opsmail opsmail
RUN /build/bin/hatchling build -t wheel -d /wheel \
    && /opt/opsmail/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.13-slim

# git comes as the base image's Debian has it: a version named here would be gone from the index with the next correction.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/opsmail /opt/opsmail
ENV PATH="/opt/opsmail/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1

# Whoever mounts a repository has another user id, and git would refuse it.
RUN useradd --uid 10001 --no-log-init --create-home opsmail \
    && printf '[safe]\n\tdirectory = /repository\n' > /home/opsmail/.gitconfig
USER 10001:10001
WORKDIR /repository
ENTRYPOINT ["opsmail"]
CMD ["--help"]
