# up and down: the whole fleet on its private servers.

command_up() {
    local began=$SECONDS
    AFTER_INTERRUPTION="compose/dev up goes on from here, compose/dev down stops what was started"
    ensure_swift
    ensure_packages
    use_run "$(default_run)"
    start_release_build "building the fleet in release mode"
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
