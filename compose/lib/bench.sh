# bench: the fleet in release mode on servers of its own, and beside it the floor, the least that one purchase costs.

FLOOR_SAGAS=20000

command_bench() {
    local floor before after ours
    ensure_swift
    ensure_packages
    use_run "$(default_run)/bench-servers"
    servers_reset
    on_exit stop_set
    start_build "building the fleet in release mode$(first_time release)" --configuration release
    servers_up
    finish_build
    floor=$(floor_package)
    [[ -z $floor ]] || prepare_floor "$floor"
    write_env
    prepare_fleet

    [[ -z $floor ]] || run_floor "$RUN/log/floor-before.log"
    fleet_up
    run_bench "$@"
    fleet_down
    [[ -n $floor ]] || return 0
    run_floor "$RUN/log/floor-after.log"

    before=$(rate_in "$RUN/log/floor-before.log")
    after=$(rate_in "$RUN/log/floor-after.log")
    ours=$(rate_in "$RUN/log/bench.log")
    awk -v ours="$ours" -v before="$before" -v after="$after" 'BEGIN {
        printf "fleet %d sagas/s, floor %d before and %d after: %.2f of the floor\n", ours, before, after, 2 * ours / (before + after) }'
}

run_bench() {
    # shellcheck source=/dev/null
    source "$RUN/env"
    measure "$RUN/log/bench.log" "$(product bench)" "$@"
}

# measure LOG COMMAND…: shows what it prints and keeps it.
measure() {
    # shellcheck disable=SC2016  # expanded by the shell that runs it
    start_job "$ROOT" bash -o pipefail -c 'log=$1 && shift && "$@" | tee "$log"' measure "$@"
    finish_job
}

# rate_in LOG: the last "N sagas/s" in it.
rate_in() {
    local rate
    rate=$(tr -d , <"$1" | grep -oE '[0-9]+(\.[0-9]+)? sagas/s' | tail -n 1 | cut -d' ' -f1)
    [[ -n $rate ]] || fail "$1 names no sagas/s"
    printf '%s' "$rate"
}

# The package of the floor program, when there is one.
floor_package() {
    local folder
    for folder in "${TURNSTILE_FLOOR:-}" "$ROOT/../shared/floor"; do
        [[ -z $folder || ! -e $folder/Package.swift ]] || { printf '%s' "$folder" && return; }
    done
}

# Its folder may be read-only, so a copy is built; its queues and tables go where the fleet's are not.
prepare_floor() {
    FLOOR=$ROOT/.run/floor
    mkdir -p "$FLOOR"
    cp -r "$1/." "$FLOOR/"
    chmod -R u+w "$FLOOR"
    start_build "building the floor program" --package-path "$FLOOR" --configuration release --product floor
    finish_build
    create_database floor
    management PUT /vhosts/floor --header 'Content-Type: application/json' --data '{}'
    management PUT /permissions/floor/turnstile --header 'Content-Type: application/json' \
        --data '{"configure":".*","write":".*","read":".*"}'
}

# run_floor LOG
run_floor() {
    export AMQP_HOST=127.0.0.1 AMQP_USER=turnstile AMQP_VHOST=floor
    AMQP_PORT=$(port amqp)
    AMQP_PASSWORD=$(secret amqp)
    DATABASE_URL=$(database_url turnstile "$(secret postgres)" floor)
    export AMQP_PORT AMQP_PASSWORD DATABASE_URL
    measure "$1" "$FLOOR/.build/release/floor" "$FLOOR_SAGAS" 500 0 64
}
