# The site in one image, for web processes and workers: docker build -t agentsite .
# It runs as a user without rights, who can write to /var/lib/agentsite and to nothing else.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
ENV HOST=0.0.0.0 VAR_DIR=/var/lib/agentsite
WORKDIR /app

# What is installed changes less often than the code, so it is a layer of its own.
COPY pyproject.toml README.md ./
RUN python -m pip --disable-pip-version-check --quiet install --editable ".[scale]"
COPY manage.py ./
COPY agentsite/ agentsite/
COPY chat/ chat/
COPY tools/ tools/
COPY static/ static/
COPY templates/ templates/

RUN install --directory --mode=700 --owner=10001 --group=10001 /var/lib/agentsite
USER 10001:10001
VOLUME /var/lib/agentsite
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=5)"]
CMD ["python", "manage.py", "serve"]
