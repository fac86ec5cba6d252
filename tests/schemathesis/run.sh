#!/usr/bin/env bash
# Lets Schemathesis ask a demo of its own whatever both documents allow, and much that they do not: no answer may be a
# 5xx, have a status that its operation does not declare, or a body that does not fit its schema.
#
#   PANELONE_SCHEMATHESIS_DIR       where it works and keeps what it installed [target/schemathesis]
#   PANELONE_SCHEMATHESIS_EXAMPLES  examples for each operation [25]
#   PANELONE_SCHEMATHESIS_SECONDS   longest that one document may take [3600]
#   PANELONE_REQUIRE_ALL            1: a missing tool is a failure, not a note
#
# Arguments are passed on, e.g. `--include-operation-id client_update`, and then one document is enough:
#   tests/schemathesis/run.sh panelone --include-operation-id client_update
# Installing needs the package registry once. Seed and examples are fixed: the same document gives the same cases.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${PANELONE_SCHEMATHESIS_DIR:-$root/target/schemathesis}
examples=${PANELONE_SCHEMATHESIS_EXAMPLES:-25}
seconds=${PANELONE_SCHEMATHESIS_SECONDS:-3600}
mkdir -p "$work"
work=$(cd "$work" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/panelone-schemathesis.XXXXXX")
server=

# Cargo sets these for xtask; passed on, they would rebuild what is built.
for name in $(compgen -e | grep -E '^CARGO_(PKG|MANIFEST)_' || true); do unset "$name"; done

fail() {
    echo "schemathesis: FAILED: $1" >&2
    exit 1
}

tidy() {
    local status=$?
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$scratch"
    exit "$status"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! command -v python3 >/dev/null; then
    [ "${PANELONE_REQUIRE_ALL:-}" != 1 ] || fail "python3 is missing"
    echo "schemathesis: NOT run (python3 is missing)" >&2
    exit 0
fi
if ! cmp -s "$here/requirements.txt" "$work/venv/.stamp"; then
    rm -rf "$work/venv"
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$work/venv/.stamp"
fi

cd "$root"
# As `cargo xtask` builds it: with other features everything would be built a second time.
[ -n "${PANELONE_DEMO:-}" ] || cargo build --workspace --bins --examples
demo=${PANELONE_DEMO:-${CARGO_TARGET_DIR:-$root/target}/debug/demo}

mkfifo "$scratch/ready"
RUST_BACKTRACE=0 PANELONE_LOG=error "$demo" --json --port 0 --data-dir "$scratch/data" \
    --businesses 8 --devices 40 --users 40 >"$scratch/ready" 2>"$scratch/log" &
server=$!
exec 3<"$scratch/ready"
IFS= read -r -t 600 line <&3 || { tail -n 40 "$scratch/log" >&2; fail "the demo did not start"; }
printf '%s\n' "$line" >"$scratch/demo.json"
"$work/venv/bin/python" "$here/callers.py" "$scratch/demo.json" "$scratch/data/mail" >"$scratch/callers"
read -r api key portal <"$scratch/callers"

documents=(panelone clientone)
case ${1:-} in
panelone | clientone)
    documents=("$1")
    shift
    ;;
esac
failed=0
for document in "${documents[@]}"; do
    case $document in
    # What ends the session under way, or takes the caller's own key, would make all that follows a 401.
    panelone) at=$api/openapi.json header="Authorization: Bearer $key" leave=(api_key_revoke) ;;
    clientone) at=$api/clientone/openapi.json header="Cookie: clientone_session=$portal"
        leave=(portal_session_end portal_session_delete portal_sessions_delete_others portal_password_change) ;;
    esac
    out=$work/$document
    rm -rf "$out"
    mkdir -p "$out"
    echo "schemathesis: $document, $examples examples for each operation"
    # ignored_auth sends requests without credentials to operations that also answer them to nobody; the isolation suite
    # asks each operation as nobody.
    timeout --kill-after=10 "$seconds" "$work/venv/bin/schemathesis" --config-file "$here/schemathesis.toml" \
        run "$at" --url "$api" --header "$header" --checks all --mode all \
        --phases examples,coverage,fuzzing,stateful --max-examples "$examples" --workers 2 --seed 1 \
        --generation-database none --continue-on-failure --report junit,ndjson --report-dir "$out" --no-color \
        "${leave[@]/#/--exclude-operation-id=}" "$@" >"$out/run.txt" 2>&1 || failed=1
    sed -n '/SUMMARY/,$p' "$out/run.txt"
    [ "$failed" -eq 0 ] || grep -n "Test Case ID\|^- \|^\[" "$out/run.txt" | head -n 80 >&2 || true
done
kill -0 "$server" 2>/dev/null || { tail -n 40 "$scratch/log" >&2; fail "the demo died"; }
if grep -q "ERROR" "$scratch/log"; then
    grep "ERROR" "$scratch/log" | head -n 20 >&2
    fail "the server logged errors"
fi
[ "$failed" -eq 0 ] || fail "see $work/*/run.txt"
echo "schemathesis: clean in $SECONDS s"
