#!/usr/bin/env bash
# Generates a client from openapi/panelone.json in TypeScript, Python and Rust, compiles each, and lets
# each drive the main job against a demo of its own. `cargo xtask ci` runs it.
#
#   PANELONE_CLIENTS_DIR   where it works and keeps what it installed [target/clients]
#   PANELONE_REQUIRE_ALL   1: a missing tool is a failure, not a note
#
# Installing needs the package registries once; after that nothing is fetched until a lock file changes.
# Another language: a folder here, a prepare_ function, a line at the end.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
document=$root/openapi/panelone.json
work=${PANELONE_CLIENTS_DIR:-$root/target/clients}
mkdir -p "$work"
work=$(cd "$work" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/panelone-clients.XXXXXX")
server=

# Cargo sets these for xtask; passed on, they would rebuild what is built.
for name in $(compgen -e | grep -E '^CARGO_(PKG|MANIFEST)_' || true); do unset "$name"; done

fail() {
    echo "clients: FAILED: $1" >&2
    exit 1
}

# Asks the demo to end, and waits; one that does not end within 60 s is killed and is a failure.
stop_server() {
    [ -n "$server" ] || return 0
    local pid=$server waited=0
    server=
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        waited=$((waited + 1))
        if [ "$waited" -gt 300 ]; then
            kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            return 1
        fi
        sleep 0.2
    done
    wait "$pid" 2>/dev/null || true
}

tidy() {
    local status=$?
    stop_server || true
    rm -rf "$scratch"
    exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# quietly <seconds> <what> <command…>: shows the command's output only when it fails.
quietly() {
    local seconds=$1 what=$2 began=$SECONDS status=0
    shift 2
    timeout --kill-after=5 "$seconds" "$@" >"$scratch/output" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 60 "$scratch/output" >&2
        [ "$status" -ne 124 ] || fail "$what took longer than $seconds s"
        fail "$what"
    fi
    echo "clients: $what ($((SECONDS - began)) s)"
}

# have <what> <command…>: whether its tools are there.
have() {
    local what=$1 tool
    shift
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        [ "${PANELONE_REQUIRE_ALL:-}" != 1 ] || fail "$what: $tool is missing"
        echo "clients: NOT checked: $what ($tool is missing)" >&2
        return 1
    done
}

# fresh <folder> <file…>: whether the folder was made from these files as they are.
fresh() {
    local folder=$1
    shift
    cat "$@" | cksum >"$scratch/stamp"
    cmp -s "$scratch/stamp" "$folder/.stamp"
}

prepare_python() {
    local home=$work/python
    mkdir -p "$home"
    if ! fresh "$home/venv" "$here/python/requirements.txt"; then
        rm -rf "$home/venv"
        quietly 300 "python: make an environment" python3 -m venv "$home/venv"
        quietly 600 "python: install" "$home/venv/bin/pip" install --disable-pip-version-check \
            -r "$here/python/requirements.txt"
        cp "$scratch/stamp" "$home/venv/.stamp"
    fi
    quietly 300 "document: validate" "$home/venv/bin/python" "$here/document.py" "$document"
    rm -rf "$home/generated"
    mkdir -p "$home/generated"
    quietly 300 "python: generate" "$home/venv/bin/openapi-python-client" generate --path "$document" --meta none \
        --config "$here/python/generator.yml" --output-path "$home/generated/panelone_client" --fail-on-warning
    quietly 600 "python: type-check" env MYPYPATH="$home/generated" "$home/venv/bin/mypy" --strict \
        --cache-dir "$home/mypy" "$here/python/check.py" "$home/generated/panelone_client"
}

drive_python() {
    PYTHONPATH=$work/python/generated PYTHONDONTWRITEBYTECODE=1 timeout --kill-after=5 600 \
        "$work/python/venv/bin/python" "$here/python/check.py" "$1" "$document"
}

prepare_typescript() {
    local home=$work/typescript
    mkdir -p "$home"
    cp "$here"/typescript/{package.json,package-lock.json,tsconfig.json,check.ts} "$home/"
    cd "$home"
    if ! fresh "$home/node_modules" package.json package-lock.json; then
        quietly 600 "typescript: install" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        cp "$scratch/stamp" "$home/node_modules/.stamp"
    fi
    quietly 300 "typescript: generate" node_modules/.bin/openapi-typescript "$document" -o api.ts
    quietly 600 "typescript: compile" node_modules/.bin/tsc
    cd "$root"
}

drive_typescript() {
    timeout --kill-after=5 600 node "$work/typescript/out/check.js" "$1"
}

prepare_rust() {
    # A target folder and a lock file of its own: nothing of the product is built again for it.
    quietly 2400 "rust: generate and compile" env CARGO_TARGET_DIR="$work/rust" \
        cargo build --locked --manifest-path "$here/rust/Cargo.toml"
}

drive_rust() {
    timeout --kill-after=5 600 "$work/rust/debug/rust-client-check" "$1"
}

# drive <language>: a demo of its own, so that no language finds what another left.
drive() {
    local language=$1 home=$scratch/$1 began=$SECONDS line
    mkdir "$home"
    mkfifo "$home/ready"
    RUST_BACKTRACE=0 timeout --kill-after=5 900 "$demo" --empty --json --port 0 --data-dir "$home/data" \
        --businesses 24 --devices 240 --users 300 >"$home/ready" 2>"$home/log" &
    server=$!
    exec 3<"$home/ready"
    local status=0
    IFS= read -r -t 300 line <&3 || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$home/log" >&2
        # read answers more than 128 when its time is up.
        [ "$status" -gt 128 ] && fail "$language: the demo was not ready within 300 s"
        fail "$language: the demo ended instead of starting"
    fi
    printf '%s\n' "$line" >"$home/demo.json"
    if ! "drive_$language" "$home/demo.json"; then
        echo "--- the end of the demo's log" >&2
        tail -n 40 "$home/log" >&2
        fail "$language: the main job through the generated client"
    fi
    stop_server || fail "$language: the demo did not end within 60 s of SIGTERM"
    exec 3<&-
    echo "clients: $language: the main job ($((SECONDS - began)) s)"
}

cd "$root"
[ -f "$document" ] || fail "there is no openapi/panelone.json: run \`cargo xtask openapi\`"
# As `cargo xtask` builds it: with other features everything would be built a second time.
quietly 2400 "build the demo" cargo build --workspace --bins --examples
demo=${CARGO_TARGET_DIR:-$root/target}/debug/demo

checked=0
for language in python:python3 typescript:node:npm rust:cargo; do
    IFS=: read -r -a tools <<<"$language"
    have "${tools[0]}" "${tools[@]:1}" || continue
    "prepare_${tools[0]}"
    drive "${tools[0]}"
    checked=$((checked + 1))
done
[ "$checked" -eq 3 ] || echo "clients: only $checked of 3 languages were checked" >&2
echo "clients: $checked languages in $SECONDS s"
