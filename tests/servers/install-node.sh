#!/usr/bin/env bash
# Installs the authorization server that the tests start, by the versions and hashes of its lock, into a folder beside it.
#
# Exit 0: it is there, or it cannot be installed here (the reason is on standard error; the tests skip).
# With CI=true that is exit 1, so that a missing server never passes unnoticed.
set -euo pipefail

cannot() {
    printf 'install-node.sh: %s\n' "$1" >&2
    [[ ${CI:-} != true ]] || exit 1
    exit 0
}

cd "$(dirname "${BASH_SOURCE[0]}")/authorization"
{ command -v node && command -v npm; } >/dev/null || cannot "the authorization server needs Node.js and npm, which this machine does not have."
(($(node --print 'process.versions.node.split(".")[0]') >= 20)) || cannot "the authorization server needs Node.js 20 or newer, and this machine has $(node --version)."

# What npm writes last; it is as old as what it describes.
installed=node_modules/.package-lock.json
[[ ! $installed -nt package-lock.json ]] || exit 0
printf 'install-node.sh: installing the authorization server\n' >&2
output=$(mktemp)
trap 'rm -f "$output"' EXIT
# No package has a script to run here, and none may have one.
npm ci --ignore-scripts --no-audit --no-fund >"$output" 2>&1 </dev/null || {
    tail -n 20 "$output" >&2
    cannot "npm could not install it."
}
