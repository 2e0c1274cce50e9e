# One image for the web server, the worker and the migrate step; compose.yaml shows the three side by side.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements/serve.txt requirements/serve.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
       --only-binary :all: -r requirements/serve.txt

FROM python:3.13-slim
# A number and not a name, so that a cluster can see it isn't root.
RUN useradd --system --uid 10001 --no-create-home porter
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py gunicorn.conf.py ./
COPY portal portal
COPY intake intake
COPY triage triage
COPY queues queues
COPY audit audit
COPY templates templates
COPY static static
COPY locale locale
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PORTER_BIND=0.0.0.0:8000 PORTER_STATIC=/app/collected PORTER_VAR=/tmp/porter
# Collecting needs settings but no database; the demo's names the files by their content, as production's do.
RUN PORTER_MODE=demo DATABASE_URL=postgresql://nobody@localhost/none python manage.py collectstatic --no-input \
    && python -m compileall -q portal intake triage queues audit
USER 10001
EXPOSE 8000
# The probe names a host that PORTER_HOSTS allows, as every request must.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/health', headers={'Host': os.environ['PORTER_HOSTS'].split(',')[0]}); raise SystemExit(c.getresponse().status != 200)"]
CMD ["gunicorn", "portal.shell.wsgi"]
