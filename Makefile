# `make help` lists the targets. Everything runs in .venv, which `make setup` creates.

PYTHON ?= python3
EXTRA ?= cpu
LOCK := requirements$(if $(filter gpu,$(EXTRA)),-gpu,).txt
READY := .venv/ready-$(EXTRA)
READY_DEV := .venv/ready-dev
# DVC runs the stages with the `python` that it finds first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Packages are installed without bytecode, which Python makes of what is imported, and is to keep:
# TensorFlow takes 4 s to import with it and 7 without.
unexport PYTHONDONTWRITEBYTECODE

# What `make all` adds to params.yaml, where it is not there yet.
RECIPES := mnist_sgd mnist_adam fashion_mlp cifar10_cnn cat_dog_mobilenet

# Test files side by side, more than two cores take, for some wait; scripts/ci.sh does the same.
PYTEST := python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help setup setup-dev check test test-all faults repro all app serve bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned dependencies of running (EXTRA=gpu for NVIDIA GPUs)

setup-dev: $(READY_DEV) ## the same, and those of checks and tests

$(READY): $(LOCK)
	@test ! -L .venv || { echo "setup: .venv must be a folder of its own, got a link to $$(readlink .venv), which setup would empty; remove the link" >&2; exit 1; }
	@echo "setup: create .venv"
	@$(PYTHON) -m venv --clear .venv
	@echo "setup: install $(LOCK)"
	@.venv/bin/python scripts/install.py $(LOCK)
	@echo "setup: install imago itself"
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The lock of developing agrees with both locks of running, so it goes on top of either.
$(READY_DEV): $(READY) requirements-dev.txt
	@echo "setup: install requirements-dev.txt"
	@.venv/bin/python scripts/install.py requirements-dev.txt
	@touch $@

check: setup-dev ## lint, format and types
	ruff check .
	ruff format --check .
	mypy

test: setup-dev ## run the tests but the slow ones (no network, some minutes)
	$(PYTEST) -m "not slow"

test-all: setup-dev ## run all tests
	$(PYTEST)

faults: setup-dev ## try to break every promise of docs/reliability.md, hard (10 minutes)
	IMAGO_FAULTS=full $(PYTEST) -m fault

repro: setup ## run the pipeline of params.yaml: mnist_sgd, mnist_adam and fashion_mlp on the real data
	imago mend
	dvc repro
	imago results

all: setup ## add all five experiments and run them; goes on past data that are out of reach, and says which
	imago mend
	imago add $(RECIPES)
	dvc repro --keep-going; status=$$?; dvc repro --single-item overview; imago results; imago missing && exit $$status

app: setup ## open a page for one's own photos, with the REST endpoint beside it (HOST=, PORT=)
	python -m app $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

serve: setup ## the REST endpoint alone (HOST=, PORT=)
	python -m app --endpoint-only $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

bench: setup ## measure our training and predictions against plain Keras, side by side
	dvc repro --quiet train@mnist_sgd train@mnist_adam train@fashion_mlp export@mnist_adam
	python -m bench.training
	python -m bench.predict mnist_adam

# What both locks of running and that of developing have in common is pinned to one version.
PIN := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
PIN_RUN := $(PIN) pyproject.toml --extra app --extra s3 --extra tensorboard

lock: ## choose the newest allowed dependencies and pin them (needs uv)
	$(PIN_RUN) --extra cpu --output-file requirements.txt
	$(PIN_RUN) --extra gpu --constraint requirements.txt --output-file requirements-gpu.txt
	$(PIN) --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## delete downloads, unfinished trainings and TensorBoard logs; not the DVC cache
	rm -rf .imago
