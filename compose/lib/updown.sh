# up and down: the whole fleet on its private servers.

command_up() {
    local began=$SECONDS
    AFTER_INTERRUPTION="compose/dev up goes on from here, compose/dev down stops what was started"
    ensure_swift
    ensure_packages
    use_run "$(default_run)"
    start_release_build "building the fleet in release mode" "${PROGRAMS[@]}"
    servers_up
    finish_build
    write_env
    prepare_fleet
    fleet_up
    demo
    show_addresses
    say "up after $(seconds_since "$began")"
}

command_down() {
    use_run "$(default_run)"
    stop_nested_sets "$@"
    stop_set
    if [[ ${1:-} == --wipe ]]; then
        wipe_run
        rm -rf "$RUN/floor"
    fi
    say "nothing is running in $RUN"
}

# One process of the fleet, with the program that was built last: no build, no migration, no demo.
command_start() {
    one_member start "$@"
    if running "$1"; then
        say "$1 runs already"
    else
        start_and_await "$1"
    fi
}

command_stop() {
    one_member stop "$@"
    if running "$1"; then
        stop_member "$1"
        say "$1 is stopped; its messages wait for it"
    else
        say "$1 does not run"
    fi
}

command_restart() {
    one_member restart "$@"
    ! running "$1" || stop_member "$1"
    start_and_await "$1"
}

# one_member COMMAND NAME: makes the run directory ours, if NAME is a process of the fleet that can be started.
one_member() {
    local name
    (($# == 2)) || fail "compose/dev $1 NAME, with one of: ${FLEET[*]}"
    for name in "${FLEET[@]}"; do [[ $name != "$2" ]] || break; done
    [[ $name == "$2" ]] || fail "there is no process '$2'; there are: ${FLEET[*]}"
    look_at_run
    use_run "$(default_run)"
    [[ $1 == stop ]] && return
    [[ -x $(product turnstile) && -s $RUN/ports/http ]] || fail "the fleet was never started here; start it with: compose/dev up"
    servers_run || fail "its servers do not run; start them with: compose/dev servers up"
}

start_and_await() {
    choose_fleet_ports
    write_env
    start_member "$1"
    await "$1" "$1" 60 healthy "$1" || fail "$1 was started and is not ready; turnstile doctor looks at the servers, its log is $RUN/log/$1.log"
    say "$1 is ready"
}

stop_member() {
    stop_processes TERM "$1"
    settle_processes 15 "$1"
}

stop_set() {
    fleet_down
    servers_stopped || say "stopping the servers in $RUN"
    servers_down
}

# The servers that test and bench left behind; those of one that is at work right now stay.
stop_nested_sets() {
    local directory
    for directory in "$RUN"/*-servers; do
        if [[ -e $directory/data ]]; then (stop_nested_set "$directory" "$@"); fi
    done
}

stop_nested_set() {
    RUN=$1
    DATA=$(readlink -f "$RUN/data")
    exec 9>"$RUN/lock"
    flock --nonblock 9 || { say "leaving $RUN alone: a run is using it" && return; }
    stop_set
    if [[ ${2:-} == --wipe ]]; then
        wipe_run
        rm -rf "$RUN"
    fi
}

show_addresses() {
    cat <<TEXT

  orchestrator   $(turnstile_url)   /health/ready, /metrics
  RabbitMQ       127.0.0.1:$(port amqp), management http://127.0.0.1:$(port management), user turnstile
  PostgreSQL     127.0.0.1:$(port postgres), database and user turnstile
  Redis          127.0.0.1:$(port redis)

  source $(seen_from_here "$RUN/env")   addresses, passwords and keys for a shell; then
  curl "\$TURNSTILE_URL/events"
  compose/dev status, compose/dev logs orchestrator -f, compose/dev down
TEXT
}

# seen_from_here PATH: for a command line; relative when the user stands above it.
seen_from_here() { printf '%q' "${1#"$PWD"/}"; }
