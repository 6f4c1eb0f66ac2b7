# What must be installed, and installing it.

PACKAGES=(pkg-config librabbitmq-dev libpq-dev libhiredis-dev libcurl4-openssl-dev rabbitmq-server postgresql redis-server curl)

installed() {
    case $1 in
        librabbitmq-dev) compiles amqp.h || compiles rabbitmq-c/amqp.h ;;
        libpq-dev) compiles postgresql/libpq-fe.h || compiles libpq-fe.h ;;
        libhiredis-dev) compiles hiredis/hiredis.h ;;
        libcurl4-openssl-dev) compiles curl/curl.h || compgen -G '/usr/include/*-linux-gnu*/curl/curl.h' >/dev/null ;;
        rabbitmq-server) compgen -G '/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server' >/dev/null ;;
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
        amqp-tools) command -v amqp-publish >/dev/null ;;
        nghttp2-server) command -v nghttpd >/dev/null ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        redis-server) command -v redis-server >/dev/null && command -v redis-cli >/dev/null ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# compiles HEADER: whether the C compiler would find it.
compiles() { [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]]; }

# missing_packages [MORE…]: which of those that every command needs, and of MORE, are not installed.
missing_packages() {
    local package
    for package in "${PACKAGES[@]}" "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

ensure_packages() {
    local missing began=$SECONDS
    read -ra missing <<<"$(missing_packages "$@")"
    ((${#missing[@]} > 0)) || return 0
    may_install || fail "these packages are missing and cannot be installed from here: ${missing[*]}"
    say "installing ${missing[*]} with apt-get (one or two minutes)"
    install_packages "${missing[@]}"
    read -ra missing <<<"$(missing_packages "$@")"
    ((${#missing[@]} == 0)) || fail "apt-get ended well, yet these are still missing: ${missing[*]}"
    say "  installed ($(seconds_since "$began"))"
}

may_install() { command -v apt-get >/dev/null && as_root true 2>/dev/null; }

# as_root COMMAND…: asks for a password only where somebody can answer.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif [[ -t 0 ]]; then
        sudo "$@"
    else
        sudo --non-interactive "$@"
    fi
}

# The package lists are refreshed only when the ones at hand do not do.
install_packages() {
    local log
    log=$(mktemp)
    forbid_services
    apt_get install "$@" &>"$log" || { apt_get update && apt_get install "$@"; } &>"$log" || {
        show_tail "$log"
        fail "apt-get could not install: $*"
    }
    allow_services
    rm -f "$log"
}

apt_get() {
    local action=$1
    shift
    as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends "$action" "$@"
}

# The packages would start services of the system, which nobody asked for: a policy forbids it while we install.
POLICY=/usr/sbin/policy-rc.d
POLICY_IS_OURS=

forbid_services() {
    [[ ! -e $POLICY ]] || return 0
    on_exit allow_services
    POLICY_IS_OURS=1
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
}

allow_services() {
    [[ -z $POLICY_IS_OURS ]] || as_root rm -f "$POLICY"
    POLICY_IS_OURS=
}
