#!/usr/bin/env bash
# What CI decides about a change; every CI system calls this, in a clone with the whole history.
#
#   scripts/ci.sh check   lint, format, types, and whether dvc.lock is current
#   scripts/ci.sh test    all tests, among them the whole pipeline on a tiny data set
#   scripts/ci.sh gate    the change against its base: on the real data where .dvc/config has a
#                         default remote, else on a tiny data set
#   scripts/ci.sh tiny    the latter in any case, as for a fork, which has no credentials
#   scripts/ci.sh         check, test, gate
#
# gate and tiny leave ci-report/: summary.md, gate.md, gate.json, results.md, reports.
# The base is the merge base with CI_BASE, else with origin/main or main; on main itself it is the
# commit before.
set -euo pipefail
cd "$(dirname "$0")/.."

report=$PWD/ci-report
work= # a temporary folder, deleted at the end
status=0

check() {
    ruff check .
    ruff format --check .
    mypy
    imago check
}

test_all() {
    python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
}

base() {
    local found
    found=${CI_BASE:-$(git rev-parse --verify --quiet origin/main || git rev-parse --verify main)}
    found=$(git merge-base HEAD "$found")
    if [ "$found" = "$(git rev-parse HEAD)" ]; then found=$(git rev-parse HEAD^); fi
    echo "$found"
}

gate() {
    if [ -z "$(dvc config core.remote || true)" ]; then
        echo "ci.sh: no DVC remote is set up (docs/team.md), so the gate takes the tiny data set"
        tiny
        return
    fi
    begin
    imago remote
    imago results --md > "$report/results.md"
    compare "$(base)"
    # Pages are extras: without them there are still the figures, which git has.
    dvc stage list --name-only | grep -E '^(report@.*|overview)$' | xargs dvc pull --allow-missing ||
        echo "ci.sh: not all pages could be fetched"
    cp -r reports "$report/reports"
    finish "On the real data, as dvc.lock has it."
}

# Runs the code of both revisions on tiny digits: tells a broken pipeline or training, not a point
# of accuracy.
tiny() {
    local before
    begin
    work=$(mktemp -d)
    before=$(base)
    git worktree add --quiet --detach "$work/code" "$before"
    trap 'git worktree remove --force "$work/code"; rm -rf "$work"' EXIT
    if (cd "$work/code" && python "$OLDPWD/scripts/tiny_revision.py" "$work/base" "$work/cache"); then
        python scripts/tiny_revision.py "$work/head" "$work/cache" all
        git -C "$work/head" fetch --quiet "$work/base" HEAD:refs/heads/base
        (cd "$work/head" && compare base)
    else
        python scripts/tiny_revision.py "$work/head" "$work/cache" all
        echo "The base revision does not run on the tiny data set; this one does." |
            tee "$report/gate.md"
    fi
    (cd "$work/head" && imago results --md > "$report/results.md")
    cp -r "$work/head/reports" "$report/reports"
    finish "On a tiny data set, which tells a broken pipeline, not a point of accuracy."
}

begin() {
    rm -rf "$report"
    mkdir "$report"
}

# The gate's verdict, kept until the report is written.
compare() {
    imago gate --base "$1" --json > "$report/gate.json" || status=$?
    imago gate --base "$1" --md > "$report/gate.md" || true
    cat "$report/gate.md"
}

finish() {
    {
        cat "$report/gate.md"
        printf '\n%s\n\n' "$1"
        cat "$report/results.md"
    } > "$report/summary.md"
    exit "$status"
}

case "${1:-all}" in
    check) check ;;
    test) test_all ;;
    gate) gate ;;
    tiny) tiny ;;
    all) check && test_all && gate ;;
    *)
        echo "ci.sh: must be check, test, gate, tiny or nothing, got '$1'" >&2
        exit 2
        ;;
esac
