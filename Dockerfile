# syntax=docker/dockerfile:1
# What it does is in container/build.sh, which container/try.sh runs as well where no image can be built.
# Pinned: change both together, and pin a digest where your registry keeps one (--build-arg BASE=node:…@sha256:…).
# glibc, for libsql's native module: not Alpine.
ARG BASE=node:22.21.1-bookworm-slim

FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN sh container/build.sh /src /app

FROM ${BASE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
# Created here, so that a new volume is the user's.
RUN mkdir /data && chown 10001:10001 /data && chmod 700 /data
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# No shell: the orchestrator's own check may ask the same.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["node", "container/health.mjs"]
# The first process of the container: signals reach it, and its exit code is the container's.
CMD ["node", "dist/main.js"]
