# The image of `tandem`: everything it needs and nothing else. docs/deploying.md says how to run it.

FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/tandem

# Wheels alone, each by its hash: nothing is compiled, so no compiler is needed.
COPY requirements/app.lock requirements/dev.lock /tmp/requirements/
RUN pip --python /opt/tandem/bin/python install --only-binary :all: --require-hashes \
    -r /tmp/requirements/app.lock

# `app/migrations.py` looks for alembic.ini beside `app`, so the package stays in its folder. What
# builds it is pinned with the tools of development, and leaves again.
WORKDIR /srv/tandem
COPY LICENSE README.md alembic.ini pyproject.toml ./
COPY alembic ./alembic
COPY app ./app
RUN sed -n '/^setuptools==/,/[^\\]$/p' /tmp/requirements/dev.lock > /tmp/requirements/build.lock \
    && pip --python /opt/tandem/bin/python install --only-binary :all: --require-hashes \
        -r /tmp/requirements/build.lock \
    && pip --python /opt/tandem/bin/python install --no-deps --no-build-isolation --editable . \
    && pip --python /opt/tandem/bin/python uninstall --yes setuptools \
    && rm -rf build tandem.egg-info \
    && python -m compileall -q --invalidation-mode unchecked-hash alembic app \
    && chmod -R a+rX .

FROM python:3.11-slim-trixie
RUN pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip \
    && groupadd --gid 10001 tandem \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin tandem \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/tandem
COPY --from=build /opt/tandem /opt/tandem
COPY --from=build /srv/tandem /srv/tandem

ENV PATH=/opt/tandem/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TANDEM_HOST=0.0.0.0 \
    TANDEM_PORT=8000 \
    TANDEM_VAR=/var/lib/tandem
WORKDIR /srv/tandem
USER 10001:10001
EXPOSE 8000
# No proxy from the environment may stand between the check and the service.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['TANDEM_PORT'] + '/health/ready', timeout=4)"]
CMD ["tandem", "serve"]
