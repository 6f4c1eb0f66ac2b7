# The run directory: where a set of servers and processes keeps its pids, ports, logs, secrets and data.

default_run() { printf '%s' "${TURNSTILE_RUN:-$ROOT/.run}"; }

# use_run DIR: makes DIR the run directory, and this script the only one at work in it.
use_run() {
    mkdir -p "$1"
    RUN=$(cd "$1" && pwd -P)
    [[ -O $RUN ]] || fail "$RUN belongs to $(stat --format=%U "$RUN"); run as that user, or set TURNSTILE_RUN"
    exec 9>"$RUN/lock"
    flock --nonblock 9 || {
        say "another compose/dev is at work in $RUN; waiting for it"
        flock 9
    }
    prepare_run
    settle_interrupted
}

# look_at_run: the default run directory for commands that change nothing.
look_at_run() {
    RUN=$(default_run)
    [[ -e $RUN/data ]] || fail "nothing was ever started in $RUN; start it with: compose/dev up"
    RUN=$(cd "$RUN" && pwd -P)
    DATA=$(readlink -f "$RUN/data")
}

prepare_run() {
    mkdir -p "$RUN/pid" "$RUN/ports" "$RUN/log" "$RUN/secrets"
    chmod 755 "$RUN"
    chmod 700 "$RUN/log" "$RUN/secrets"
    prepare_data
}

# The servers' data lies in the run directory, unless the servers' users cannot get there: a clone in root's home.
prepare_data() {
    if [[ ! -e $RUN/data ]]; then
        rm -f "$RUN/data"
        mkdir "$RUN/data"
        chmod 755 "$RUN/data"
        if ((EUID == 0)) && ! as_user nobody test -x "$RUN/data"; then move_data_to "/var/tmp/turnstile-$(run_id)"; fi
    fi
    DATA=$(readlink -f "$RUN/data")
}

# move_data_to DIR: anybody may have made a directory there; only one of ours is taken away.
move_data_to() {
    [[ ! -O $1 ]] || rm -rf "$1"
    mkdir "$1"
    chmod 755 "$1"
    rmdir "$RUN/data"
    ln -s "$1" "$RUN/data"
}

wipe_run() {
    rm -rf "$DATA" "$RUN/data" "$RUN/pid" "$RUN/ports" "$RUN/log" "$RUN/secrets" "$RUN/env" "$RUN/demo-event"
}

# Tells this run directory from all others on the machine.
run_id() { printf '%s' "$RUN" | cksum | cut -d' ' -f1; }

# become USER COMMAND…: becomes COMMAND, as USER when we are root and as ourselves otherwise; for use in a subshell.
become() {
    local user=$1
    shift
    ((EUID != 0)) || set -- setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups -- "$@"
    exec "$@"
}

# as_user USER COMMAND…: runs COMMAND as USER, under the same rule.
as_user() { (become "$@"); }

# private_directory USER DIR: a directory that only USER can look into.
private_directory() {
    mkdir -p "$2"
    chmod 700 "$2"
    ((EUID != 0)) || chown "$1:" "$2"
}

# private_file USER FILE: what comes on standard input, in a file that only USER can read.
private_file() {
    rm -f "$2"
    (umask 077 && cat >"$2")
    ((EUID != 0)) || chown "$1:" "$2"
}

# secret NAME: the password of that name, made up on first use.
secret() {
    local file=$RUN/secrets/$1
    [[ -s $file ]] || (umask 077 && head -c 18 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$file")
    cat "$file"
}
