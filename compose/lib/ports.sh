# Loopback ports: a fixed first choice each, the next free one when somebody else has it, remembered in .run/ports/.

# port NAME: the port chosen for NAME.
port() { cat "$RUN/ports/$1"; }

# Seconds that a process which was killed is given to let go of its port.
PORT_PATIENCE=10

# choose_port NAME FIRST: keeps the remembered port if nobody listens on it, else takes the first free one from FIRST on.
# A running fleet knows the servers only by the ports that it was started with, so those are never changed under it.
choose_port() {
    local candidate=$2 file=$RUN/ports/$1 began=$SECONDS
    while [[ -s $file ]] && listening "$(cat "$file")"; do
        if ((SECONDS - began < PORT_PATIENCE)); then
            sleep 0.2
            continue
        fi
        ! is_server_port "$1" || ! fleet_runs || fail "port $(port "$1") of $1 is in use by another program, and the running fleet knows no other: end that program, or stop the fleet first (compose/dev down)"
        rm -f "$file"
    done
    [[ ! -s $file ]] || return 0
    while listening "$candidate" || chosen "$candidate"; do candidate=$((candidate + 1)); done
    printf '%s\n' "$candidate" >"$file"
}

# is_server_port NAME: whether the fleet is told that port when it starts.
is_server_port() { [[ $1 == amqp || $1 == management || $1 == postgres || $1 == redis ]]; }

# listening PORT: whether any process of this machine listens on PORT; 0A is the kernel's word for it.
listening() {
    local hexadecimal
    hexadecimal=$(printf '%04X' "$1")
    grep -qsE "^ *[0-9]+: [0-9A-F]+:$hexadecimal [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6
}

# chosen PORT: whether another name of this run directory has PORT.
chosen() { grep -qsx "$1" "$RUN"/ports/*; }

# first_port PORT: PORT for the default run directory, moved by a fixed amount for any other, so that sets rarely meet.
first_port() {
    if [[ $RUN == "$ROOT/.run" ]]; then
        printf '%s' "$1"
    else
        printf '%s' "$(($1 + 100 + $(run_id) % 40 * 10))"
    fi
}

# lock_ports: between choosing a port and listening on it nobody else with this script chooses.
lock_ports() {
    local file=/tmp/turnstile-ports.lock
    [[ -e $file ]] || (umask 0 && : >"$file")
    exec 8<"$file"
    flock --nonblock 8 || {
        say "  other servers are starting on this machine; waiting for them"
        flock --timeout 60 8 || true
    }
}

unlock_ports() { exec 8<&-; }
