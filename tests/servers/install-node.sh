#!/usr/bin/env bash
# Installs what the tests need of npm, by the versions and hashes of the locks, into folders beside them: the authorization
# server, and axe-core, which judges pages in the browser.
#
# Exit 0: they are there, or they cannot be installed here (the reason is on standard error; the tests skip).
# With CI=true that is exit 1, so that a missing server never passes unnoticed.
set -euo pipefail

cannot() {
    printf 'install-node.sh: %s\n' "$1" >&2
    [[ ${CI:-} != true ]] || exit 1
    exit 0
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
{ command -v node && command -v npm; } >/dev/null || cannot "the tests need Node.js and npm, which this machine does not have."
(($(node --print 'process.versions.node.split(".")[0]') >= 20)) || cannot "the tests need Node.js 20 or newer, and this machine has $(node --version)."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
for folder in servers/authorization browser; do
    # What npm writes last; it is as old as what it describes.
    [[ ! $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] || continue
    printf 'install-node.sh: installing %s\n' "$folder" >&2
    # No package has a script to run here, and none may have one.
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >"$output" 2>&1 </dev/null || {
        tail -n 20 "$output" >&2
        cannot "npm could not install it."
    }
done
