# make demo    a whole Porter with invented people on this computer
# make test    every test, the browser's included
# make check   lint, types, the order of the rooms, migrations, deployment settings, templates
# make bench   what Porter promises about speed, measured: one JSON line a figure (ARGS="decisions" for one group)
# make lock    the lock files anew from pyproject.toml (needs uv)
# make messages  the Spanish catalog with what is new in the code, and compiled (needs GNU gettext)

.PHONY: demo test check bench lock format messages venv-demo venv-dev

# The first of these that Porter runs on; `make demo PYTHON=…` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
  && echo $$python && break; done)

IN = .venv/bin/

demo: venv-demo
	@$(IN)python -m portal.shell.launch

test: venv-dev
	@$(IN)python -m tests.chromium
	@$(IN)python -m pytest $(ARGS)

# The settings a production has, with made-up values: `check --deploy` looks at them and connects to nothing.
LIKE_PRODUCTION = PORTER_MODE=production PORTER_HOSTS=porter.example PORTER_SITE_URL=https://porter.example \
  PORTER_SECRET_KEY=$$($(IN)python -c 'import secrets; print(secrets.token_urlsafe(64))') \
  DATABASE_URL=postgresql://app:none@localhost/porter EMAIL_URL=smtp://localhost

check: venv-dev
	$(IN)ruff check .
	$(IN)ruff format --check .
	PORTER_MODE=test $(IN)mypy .
	PATH=.venv/bin:$$PATH lint-imports
	PORTER_MODE=test $(IN)python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(LIKE_PRODUCTION) $(IN)python manage.py check --deploy --fail-level WARNING
	PORTER_MODE=test $(IN)python manage.py check_templates
	$(IN)djlint --lint --quiet templates

bench: venv-demo
	@$(IN)python -W ignore manage.py bench $(ARGS)

format: venv-dev
	$(IN)ruff check --fix .
	$(IN)ruff format .

# A new sentence comes in empty, and so does a changed one, without gettext's guess: write it, then run this again.
SPANISH = locale/es/LC_MESSAGES/django.po

messages: venv-dev
	PORTER_MODE=test $(IN)python manage.py makemessages --locale es --no-location --no-obsolete --ignore .venv --ignore var --ignore tests
	msgattrib --clear-fuzzy --empty --clear-previous --output-file $(SPANISH) $(SPANISH)
	PORTER_MODE=test $(IN)python manage.py compilemessages --locale es --ignore .venv

LOCK = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --upgrade

lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv, which resolves for every Python and platform at once.'; exit 1; }
	$(LOCK) -o requirements/serve.txt
	$(LOCK) --group demo -o requirements/demo.txt
	$(LOCK) --group dev -o requirements/dev.txt

venv-demo venv-dev:
	@test -n "$(PYTHON)" || { echo 'Porter needs Python 3.11, 3.12 or 3.13, and none of them is on the PATH (PYTHON=… names one).'; exit 1; }
	@$(PYTHON) portal/shell/venv.py $(@:venv-%=%)
