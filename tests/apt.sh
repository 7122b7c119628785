# Debian packages, without the daemons that come with them. To be sourced by a script with `set -euo pipefail`.
#
# Debian's server packages start their daemon when they are installed (FreeRADIUS takes port 1812), and enable it for
# the next boot. apt_install lets neither happen, and leaves a machine's own services as they are.

# Runs a command as root: as it is, or by sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "this needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

# Whether a package is installed.
apt_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]
}

# Asks the archive what it has now, once: the lists of a machine image can be months old.
apt_refresh() {
    command -v apt-get >/dev/null || return 1
    [ -z "${APT_UPDATED:-}" ] || return 0
    as_root apt-get update -qq && APT_UPDATED=1
}

# Whether a package can be had; looks at the archive once more before it says no.
apt_available() {
    command -v apt-get >/dev/null || return 1
    apt-cache show "$1" >/dev/null 2>&1 && return 0
    [ -z "${APT_UPDATED:-}" ] && apt_refresh && apt-cache show "$1" >/dev/null 2>&1
}

# Whether an installed package is older than the one that the archive has.
apt_outdated() {
    apt-cache policy "$1" 2>/dev/null | awk '/Installed:/ { i = $2 } /Candidate:/ { c = $2 } END { exit i == c || i == "(none)" }'
}

# Everything that is started at boot: systemd's wants, sysvinit's start links.
_apt_enabled() {
    find /etc/systemd/system -type l -path '*.wants/*' 2>/dev/null || true
    find /etc -path '/etc/rc[2-5S].d/S*' -type l 2>/dev/null || true
}

# Installs those of the packages that are missing, and with --upgrade those that are outdated as well. Nothing is started
# and nothing enabled by it.
apt_install() (
    upgrade=
    if [ "$1" = --upgrade ]; then
        upgrade=1
        shift
    fi
    missing=()
    for package in "$@"; do
        if ! apt_installed "$package" || { [ -n "$upgrade" ] && apt_outdated "$package"; }; then
            missing+=("$package")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || exit 0
    echo "installing: ${missing[*]}"

    # invoke-rc.d asks this program whether a daemon may be started; 101 is no. What was there comes back.
    policy=/usr/sbin/policy-rc.d
    kept=
    if [ -e "$policy" ] || [ -L "$policy" ]; then
        kept=$policy.kept.$$
    fi
    restore() {
        as_root rm -f "$policy"
        [ -z "$kept" ] || as_root mv "$kept" "$policy"
    }
    trap 'exit 1' INT TERM
    trap restore EXIT
    [ -z "$kept" ] || as_root mv "$policy" "$kept"
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"

    before=$(_apt_enabled | sort)
    get() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
    }
    get || { as_root apt-get update -qq && get; }

    # Taking the links away is what `disable` does. A package's next upgrade finds it disabled and leaves it so.
    after=$(_apt_enabled | sort)
    new=$(comm -13 <(printf '%s\n' "$before") <(printf '%s\n' "$after"))
    for link in $(grep '^/etc/systemd/' <<<"$new"); do
        as_root rm -f "$link"
    done
    for script in $(sed -n 's|^/etc/rc.\.d/S[0-9]*||p' <<<"$new" | sort -u); do
        # It asks systemd as well, which knows no unit of that name and says so.
        as_root update-rc.d "$script" disable >/dev/null 2>&1 || true
    done
)
