# One image for web, worker and beat. Runs as an ordinary user; data and secrets come from outside.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/journey
WORKDIR /src
COPY requirements.lock ./
RUN /opt/journey/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY journey journey
RUN /opt/journey/bin/pip install --no-build-isolation --no-deps .

FROM python:3.13-slim
COPY --from=build /opt/journey /opt/journey
RUN useradd --system --uid 10001 --home-dir /var/lib/journey --create-home journey
ENV PATH=/opt/journey/bin:$PATH PYTHONUNBUFFERED=1 JOURNEY_DATA_DIR=/var/lib/journey
USER journey
WORKDIR /var/lib/journey
EXPOSE 8000
CMD ["journey", "web", "--host", "0.0.0.0"]
