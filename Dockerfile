# The production image: one for web, worker and scheduler. PostgreSQL, the broker and the storage are servers elsewhere.
FROM python:3.11-slim AS packages
COPY requirements.txt /build/requirements.txt
RUN python -m venv /srv/venv \
    && /srv/venv/bin/pip install --no-cache-dir --no-input --require-hashes --no-deps --only-binary :all: \
       -r /build/requirements.txt

FROM python:3.11-slim
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    VAR_DIR=/srv/var
RUN groupadd --gid 10001 handover \
    && useradd --uid 10001 --gid handover --home-dir /srv/var --no-create-home --shell /usr/sbin/nologin handover \
    && install --directory --owner handover --group handover --mode 0700 /srv/keys \
    && install --directory --owner handover --group handover --mode 0755 /srv/var
COPY --from=packages /srv/venv /srv/venv
WORKDIR /srv/handover
COPY . .
# Neither step opens a connection: the values only let the settings load.
RUN pybabel compile --domain django --directory locale \
    && SECRET_KEY=build DATABASE_URL=postgres://build REDIS_URL=redis://build python manage.py collectstatic --no-input
USER handover
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--host", "0.0.0.0", "--port", "8000", "config.wsgi:application"]
