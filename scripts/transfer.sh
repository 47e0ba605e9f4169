#!/usr/bin/env bash
# Transfer learning on photos and weights that package registries hold, from the recipe to the report, in
# a clone of its own that is deleted at the end; its metrics are held against their floors.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/.venv/bin:$PATH
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet . "$clone"
cd "$clone"
imago add tuxpaint_efficientnet
dvc repro report@tuxpaint_efficientnet
imago gate --base HEAD --experiment tuxpaint_efficientnet
