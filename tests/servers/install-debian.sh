#!/usr/bin/env bash
# Installs the Debian packages whose servers the tests start. The tests run every server from a folder of their own:
# nothing here starts, enables or configures a service of this machine.
#
# Exit 0: the packages are there, or they cannot be installed here (the reason is on standard error; the tests skip).
# With CI=true a package that cannot be installed is exit 1, so that a missing server never passes unnoticed.
set -euo pipefail

# The names are the same in Debian and Ubuntu.
packages=(postfix dovecot-core dovecot-imapd postgresql mariadb-server etcd-server msmtp strace zsh fish)
# A browser with its driver; where Chrome is, it serves as well (Ubuntu has no such package of its own).
command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)

cannot() {
    printf 'install-debian.sh: %s\n' "$1" >&2
    [[ ${CI:-} != true ]] || exit 1
    exit 0
}

missing() {
    local package
    for package in "${packages[@]}"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$package"
    done
}

{ command -v apt-get && command -v dpkg-query; } >/dev/null ||
    cannot "the servers are installed with apt-get, which this machine does not have."
mapfile -t wanted < <(missing)
((${#wanted[@]})) || exit 0

if ((EUID != 0)); then
    { command -v sudo && sudo -n true; } >/dev/null 2>&1 ||
        cannot "installing ${wanted[*]} needs root, and sudo asks for a password here."
    exec sudo -n env CI="${CI:-}" bash "$0"
fi

printf 'install-debian.sh: installing %s\n' "${wanted[*]}" >&2
output=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
# shellcheck disable=SC2317  # called by the trap
clean_up() {
    rm -f "$output"
    [[ -z $own_policy ]] || rm -f "$policy"
}
trap clean_up EXIT

# Debian's policy layer: 101 forbids the packages' scripts to start what they bring. One that exists already is left alone.
if [[ ! -e $policy ]]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
quietly() {
    "$@" >"$output" 2>&1 </dev/null && return
    tail -n 20 "$output" >&2
    return 1
}

# One broken source among many fails it as a whole, although the packages may be there.
quietly apt-get update -q || printf 'install-debian.sh: apt-get update failed, trying with the lists there are\n' >&2
if [[ " ${wanted[*]} " == *" postfix "* ]]; then
    # No /etc/postfix/main.cf is wanted: the tests write a configuration of their own.
    quietly debconf-set-selections <(printf 'postfix postfix/main_mailer_type select No configuration\n') ||
        cannot "debconf refused the answer for postfix."
fi
# --no-remove: a machine with another mail server keeps it.
quietly apt-get install -y -q --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "${wanted[@]}" ||
    cannot "apt-get could not install ${wanted[*]}."

# A package enables its units for the next boot; the tests need none of them.
if [[ -d /run/systemd/system ]]; then
    for unit in postfix.service dovecot.service dovecot.socket postgresql.service mariadb.service etcd.service; do
        case " ${wanted[*]} " in
        *" ${unit%%.*}"*) systemctl disable --quiet "$unit" 2>/dev/null || printf 'install-debian.sh: %s was not enabled\n' "$unit" >&2 ;;
        esac
    done
fi
