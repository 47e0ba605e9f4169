# `make help` lists the targets. Everything runs in .venv, which `make setup` creates.

PYTHON ?= python3
EXTRA ?= cpu
LOCK := requirements$(if $(filter gpu,$(EXTRA)),-gpu,).txt
READY := .venv/ready-$(EXTRA)
# DVC runs the stages with the `python` that it finds first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# The experiments whose data come with the package registries, and their variants.
REPRO := mnist_sgd mnist_adam fashion_mlp
VARIANTS := mnist28 mnist28_validated fashion28

.PHONY: help setup check test repro all app serve bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned dependencies (EXTRA=gpu for NVIDIA GPUs)

$(READY): $(LOCK)
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --require-hashes -r $(LOCK)
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

check: setup ## lint, format and types
	ruff check .
	ruff format --check .
	mypy

test: setup ## run the tests (no network, some minutes)
	python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

repro: setup ## run mnist_sgd, mnist_adam and fashion_mlp on the real data
	dvc repro $(VARIANTS:%=preview@%) $(REPRO:%=report@%)
	dvc repro --single-item overview
	imago results

all: setup ## run every experiment; goes on past data that are out of reach, and says which
	dvc repro --keep-going; status=$$?; dvc repro --single-item overview; imago results; imago missing && exit $$status

app: setup ## open a page for one's own photos, with the REST endpoint beside it (HOST=, PORT=)
	python -m app $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

serve: setup ## the REST endpoint alone (HOST=, PORT=)
	python -m app --endpoint-only $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

bench: setup ## measure our training and predictions against plain Keras, side by side
	dvc repro --quiet $(foreach name,$(REPRO),train@$(name)) export@mnist_adam
	python -m bench.training
	python -m bench.predict mnist_adam

lock: ## choose the newest allowed dependencies and pin them (needs uv)
	uv pip compile pyproject.toml --quiet --universal --extra cpu --extra dev --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --output-file requirements.txt
	uv pip compile pyproject.toml --quiet --universal --extra gpu --extra dev --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --output-file requirements-gpu.txt

clean: ## delete downloads, unfinished trainings and TensorBoard logs; not the DVC cache
	rm -rf .imago
