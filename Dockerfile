# syntax=docker/dockerfile:1
# Posthorn in the place of a Postfix image, or with its own configuration:
#   docker build -t posthorn .
#   docker run -p 127.0.0.1:25:25 -v posthorn:/data posthorn mydomain.ru no-reply:PASSWORD
# It needs neither a shell nor a package of the base image, only Node 24.15 or newer.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS modules
WORKDIR /source
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts

FROM ${BASE} AS build
WORKDIR /source
COPY . .
COPY --from=modules /source/node_modules node_modules
RUN node packaging/stage.ts /image/app --modules \
  && mkdir -p /image/data /image/usr/local/bin \
  && cp packaging/container/posthorn.yaml /image/posthorn.yaml \
  && ln -s /app/bin/posthorn.js /image/usr/local/bin/posthorn \
  && chown 10001:10001 /image/data && chmod 0700 /image/data

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Posthorn" \
  org.opencontainers.image.description="A send-only mail server: SMTP or HTTP in, DKIM, a queue that never loses anything, delivery over TLS." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# Started as root it becomes this user before it opens anything (docs/decisions/container-user.md);
# started as this user (--user 10001:10001) it needs no right at all.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=16 POSTHORN_USER=10001:10001
WORKDIR /
VOLUME /data
EXPOSE 25 465 587 2525 8025
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "/app/bin/posthorn.js", "health"]
ENTRYPOINT ["node", "/app/bin/posthorn.js", "container"]
