# The six processes of the fleet, each with a database role of its own.

WORKERS=(reservation payment notification expiry recommendation)
FLEET=(orchestrator "${WORKERS[@]}")

# What they and their operator run. The one that contains most of the others is built first.
PROGRAMS=(turnstile orchestrator worker)

fleet_runs() {
    local name
    for name in "${FLEET[@]}"; do ! running "$name" || return 0; done
    return 1
}

turnstile_url() { printf 'http://127.0.0.1:%s' "$(port http)"; }

# readiness_url NAME
readiness_url() {
    if [[ $1 == orchestrator ]]; then
        printf '%s/health/ready' "$(turnstile_url)"
    else
        printf 'http://127.0.0.1:%s/health/ready' "$(port "$1")"
    fi
}

# healthy NAME: whether it answers that it is ready.
healthy() { curl --silent --fail --output /dev/null --max-time 2 "$(readiness_url "$1")"; }

choose_fleet_ports() {
    local name number
    running orchestrator || choose_port http "$(first_port 8080)"
    number=$(first_port 18081)
    for name in "${WORKERS[@]}"; do
        running "$name" || choose_port "$name" "$number"
        number=$((number + 1))
    done
}

# as_operator ARGS…: the operators' command line, with the owner's rights on database and broker.
as_operator() (
    cd "$ROOT" || exit
    DATABASE_URL=$(database_url turnstile "$(secret postgres)") AMQP_URL=$(amqp_url) REDIS_URL=$(redis_url)
    AMQP_MANAGEMENT_URL=$(management_url) TURNSTILE_URL=$(turnstile_url) OPERATOR_KEY=$(secret operator)
    export DATABASE_URL AMQP_URL REDIS_URL AMQP_MANAGEMENT_URL TURNSTILE_URL OPERATOR_KEY
    exec "$(product turnstile)" "$@" 9>&-
)

# Schemas, roles and their passwords, exchanges and queues: all of it may be there already.
prepare_fleet() {
    say "migrating the database and declaring the topology"
    as_operator migrate || fail "turnstile migrate failed"
    set_role_passwords
    as_operator topology apply || fail "turnstile topology apply failed"
}

# The migrations create each role without a password; the SQL goes by standard input, so no password is in a process list.
set_role_passwords() {
    local name
    for name in "${FLEET[@]}"; do
        printf "alter role turnstile_%s password '%s';\n" "$name" "$(secret "turnstile_$name")"
    done | psql_as_owner turnstile
}

# Starts what does not run, restarts what runs with another binary or other settings, and waits until all are ready.
fleet_up() {
    local name
    for name in "${FLEET[@]}"; do
        if running "$name" && [[ $(launch_of "$name") == "$(cat "$RUN/pid/$name.launch" 2>/dev/null)" ]]; then continue; fi
        if running "$name"; then
            say "restarting $name: its program or its settings changed"
            stop_member "$name"
        else
            say "starting $name"
        fi
        start_member "$name"
    done
    for name in "${FLEET[@]}"; do
        await "$name" "$name" 60 healthy "$name" || fail "the fleet could not be started; its logs are in $RUN/log"
    done
    say "  all six processes are ready"
}

# program_of NAME: what to execute for it, as an array in PROGRAM.
program_of() {
    if [[ $1 == orchestrator ]]; then PROGRAM=("$(product orchestrator)"); else PROGRAM=("$(product worker)" "$1"); fi
}

# settings_of NAME: its environment, one assignment a line.
settings_of() {
    printf '%s\n' "DATABASE_URL=$(database_url "turnstile_$1" "$(secret "turnstile_$1")")" \
        "AMQP_URL=$(amqp_url)" "REDIS_URL=$(redis_url)" "LOG_FORMAT=${LOG_FORMAT:-json}"
    if [[ $1 == orchestrator ]]; then
        printf '%s\n' "HTTP_HOST=127.0.0.1" "HTTP_PORT=$(port http)" "AMQP_MANAGEMENT_URL=$(management_url)" \
            "OPERATOR_KEYS=$(secret operator)"
    else
        printf '%s\n' "ADMIN_PORT=$(port "$1")"
    fi
}

# launch_of NAME: a fingerprint of the program and the settings that it would be started with.
launch_of() {
    local PROGRAM
    program_of "$1"
    { stat --dereference --format='%Y %s %i' "${PROGRAM[0]}" && settings_of "$1"; } | cksum
}

start_member() (
    local name=$1 settings PROGRAM
    program_of "$name"
    mapfile -t settings < <(settings_of "$name")
    export "${settings[@]}"
    launch_of "$name" >"$RUN/pid/$name.launch"
    start_process "$name" "$(id -un)" "$ROOT" "${PROGRAM[@]}"
)

fleet_down() {
    fleet_runs || return 0
    say "stopping the fleet"
    stop_processes TERM "${FLEET[@]}"
    settle_processes 15 "${FLEET[@]}"
}
