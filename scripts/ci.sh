#!/usr/bin/env bash
# What CI decides about a change; every CI system calls this, in a clone with the whole history.
#
#   scripts/ci.sh check   lint, format, types, and whether dvc.lock is current
#   scripts/ci.sh test    all tests, among them the whole pipeline on a tiny data set
#   scripts/ci.sh gate    the change against its base, with the results that the DVC remote has; where
#                         .dvc/config has no default remote, the experiments that changed are run
#                         here, and where their data cannot be had, the tiny data set stands for them
#   scripts/ci.sh tiny    the latter in any case, as for a fork, which has no credentials
#   scripts/ci.sh         check, test, gate
#
# gate and tiny leave ci-report/: summary.md, gate.md, gate.json, reports.
# The base is the merge base with CI_BASE, else with origin/main or main; on main itself it is the
# last commit if files were edited since, else the one before.
set -euo pipefail
cd "$(dirname "$0")/.."

project=$PWD
report=$project/ci-report
work=   # a temporary folder, deleted at the end
before= # the base
inside= # the folder of the repository in which the project is, if it is one
said=   # lines on what was compared, for the summary
times=  # rows of a table, for the same
status=0

check() {
    ruff check .
    ruff format --check .
    mypy
    imago check
}

test_all() {
    python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder
}

base() {
    local found
    found=${CI_BASE:-$(git rev-parse --verify --quiet origin/main || echo main)}
    if ! found=$(git merge-base HEAD "$found" 2> /dev/null); then
        echo "ci.sh: must have a commit in common with ${CI_BASE:-main}, to compare with; fetch it" \
            "(git fetch --unshallow origin, fetch-depth: 0 in GitHub Actions), or set CI_BASE" >&2
        exit 2
    fi
    if [ "$found" = "$(git rev-parse HEAD)" ] && git diff --quiet HEAD; then
        found=$(git rev-parse --verify --quiet HEAD^ || echo "$found")
    fi
    git rev-parse --short "$found"
}

gate() {
    begin
    if [ -n "$(dvc config core.remote || true)" ]; then
        timed "the remote" imago remote
        say "On the real data, as dvc.lock has it."
        compare "$before"
        # Pages are extras: without them there are still the figures, which git has.
        dvc stage list --name-only | grep -E '^(report@.*|overview)$' |
            xargs dvc pull --allow-missing || echo "ci.sh: not all pages could be fetched"
    else
        run_changed
    fi
    finish
}

# The experiments that changed, on the real data and in both revisions, for on another kind of
# processor than the author's the last digits can differ.
run_changed() {
    local name changed ran=() unreached=()
    changed=$(python scripts/changed_experiments.py "$before")
    for name in $changed; do
        if timed "$name here" repro . "figures@$name"; then
            ran+=("$name")
        elif grep -q "failed to reproduce 'fetch" "$work/repro.log"; then
            unreached+=("$name")
        else
            say "$name does not run; the log has its error."
            status=1
        fi
    done
    if [ ${#unreached[@]} -gt 0 ]; then
        say "The data of ${unreached[*]} cannot be had here: the tiny data set stands for them."
        run_tiny
    fi
    if [ ${#ran[@]} -gt 0 ]; then
        say "${ran[*]}: run here, on the real data."
        run_base "${ran[@]}"
    fi
    if [ -z "$changed" ]; then
        say "Nothing had to be run: dvc.lock is current, and names the predictions of the base."
    fi
    if [ ${#unreached[@]} = 0 ]; then
        compare "$before"
    elif [ ${#ran[@]} -gt 0 ]; then
        compare "$before" "${ran[@]/#/--experiment=}"
    fi
}

# What comes out becomes a commit of its own, to compare with.
run_base() {
    local name stages
    checkout_base
    pushd "$work/code/$inside" > /dev/null
    dvc cache dir --local "$OLDPWD/.dvc/cache"
    stages=$(dvc stage list --all --name-only)
    for name; do
        if grep -qx "evaluate@$name" <<< "$stages"; then
            timed "$name in the base" repro . "evaluate@$name" ||
                say "$name does not run in the base; the log has its error."
        fi
    done
    git add --all
    git -c user.name=ci -c user.email=ci@localhost commit --quiet --allow-empty --no-verify \
        --message "$before, run here"
    say "$(git rev-parse --short HEAD) is $before with the results of this machine."
    before=$(git rev-parse --short HEAD)
    popd > /dev/null
}

repro() { # FOLDER STAGE
    (cd "$1" && dvc repro "$2") 2>&1 | tee "$work/repro.log"
}

tiny() {
    begin
    run_tiny
    finish
}

# Runs the code of both revisions on tiny digits.
run_tiny() {
    checkout_base
    if timed "the base, tiny" tiny_revision "$work/code/$inside" "$work/base"; then
        timed "here, tiny" tiny_revision . "$work/head" all
        git -C "$work/head" fetch --quiet "$work/base" HEAD:refs/heads/base
        pushd "$work/head" > /dev/null
        compare base
        popd > /dev/null
    else
        timed "here, tiny" tiny_revision . "$work/head" all
        echo "The base revision does not run on the tiny data set; this one does." |
            tee -a "$report/gate.md"
    fi
    cp -r "$work/head/reports" "$report/tiny-reports"
    say "The tiny data set tells a broken pipeline or training, not a point of accuracy."
}

tiny_revision() { # CODE PROJECT [all]
    local script=$PWD/scripts/tiny_revision.py
    (cd "$1" && python "$script" "$2" "$work/cache" "${@:3}")
}

checkout_base() {
    [ -d "$work/code" ] || git worktree add --quiet --detach "$work/code" "$before"
}

begin() {
    rm -rf "$report"
    mkdir "$report"
    work=$(mktemp -d)
    trap 'cd "$project"; rm -rf "$work"; git worktree prune' EXIT
    before=$(base)
    inside=$(git rev-parse --show-prefix)
}

say() {
    said+="- $1"$'\n'
}

timed() { # LABEL COMMAND…
    local began=$SECONDS found=0
    "${@:2}" || found=$?
    times+="| $1 | $((SECONDS - began)) s |"$'\n'
    return "$found"
}

# The gate's verdict, kept until the report is written: a failure before what could not be compared.
compare() { # BASE OPTION…
    local found=0
    timed "comparison" imago gate --base "$@" --json > "$report/gate.json" || found=$?
    imago gate --base "$@" --md | tee -a "$report/gate.md" || true
    if [ "$status" != 1 ] && [ "$found" != 0 ]; then status=$found; fi
}

finish() {
    cp -r reports "$report/reports"
    {
        cat "$report/gate.md"
        printf '\n%s' "$said"
        section "Metrics, $before and here" "No metric changed." dvc metrics diff --md "$before"
        section "Parameters, $before and here" "No parameter changed." dvc params diff --md "$before"
        section "Figures that changed, in ci-report" "No figure changed." figures
        section "Results here" "None." imago results --md
        printf '\n### Time taken\n\n| step | time |\n|---|--:|\n%s' "$times"
    } > "$report/summary.md"
    exit "$status"
}

# Usage: section TITLE OTHERWISE COMMAND…, which prints a table; OTHERWISE is said where it has no rows.
section() {
    local table
    table=$("${@:3}")
    printf '\n### %s\n\n' "$1"
    if [ "$(wc -l <<< "$table")" -gt 2 ]; then echo "$table"; else echo "$2"; fi
}

figures() {
    printf '| experiment | figure |\n|---|---|\n'
    { git diff --name-only --relative --diff-filter=d "$before" && git ls-files --others --exclude-standard; } |
        sed -n 's#^\(reports/\([^/]*\)/.*\.png\)$#| \2 | `\1` |#p'
}

case "${1:-all}" in
    check) check ;;
    test) test_all ;;
    gate) gate ;;
    tiny) tiny ;;
    all)
        # Not one after the other by &&, under which a fault within a step would not end it.
        check
        test_all
        gate
        ;;
    *)
        echo "ci.sh: must be check, test, gate, tiny or nothing, got '$1'" >&2
        exit 2
        ;;
esac
