# faults: real servers and real processes, broken in every way of the catalogue while a sale goes on.

# What every run of the tests does: one of each kind, the worst.
SHORT_FAULTS=(A-kill 'A4 A7' A5-ack 'A1 A8' B-wiped C2 E1)

command_faults() {
    ensure_swift
    ensure_packages
    use_run "$(default_run)/fault-servers"
    if [[ ${1:-} == --list ]]; then
        start_faults_build
        finish_build
        debug_product faults --list
        return
    fi
    check_fault_names "$@"
    # With the servers kept, what earlier calls found is kept too, so that the faults can be called one by one.
    if [[ -z ${TURNSTILE_KEEP_SERVERS:-} ]]; then
        servers_reset
        on_exit servers_down
    fi
    servers_up
    write_env
    # shellcheck source=/dev/null
    source "$RUN/env"
    run_faults "$@"
}

# check_fault_names ARGS: nobody should wait for servers to read that there is no such fault.
check_fault_names() {
    start_faults_build
    finish_build
    debug_product faults --only-check "$@" || exit "$?"
}

# run_faults ARGS: the suite on the servers of the run directory.
run_faults() {
    local status=0
    export TURNSTILE_ROOT=$ROOT TURNSTILE_RUN=$RUN
    debug_product turnstile migrate
    debug_product turnstile topology apply
    # The suite stops and starts the servers by this very script, which must find the run directory free.
    exec 9>&-
    start_job "$ROOT" "$ROOT/.build/debug/faults" "$@"
    finish_job || status=$?
    exec 9>"$RUN/lock"
    flock 9
    return "$status"
}

# Only debug builds know fault points.
start_faults_build() { start_build "building the fleet and the fault suite$(first_time debug)" --build-tests; }

# debug_product NAME ARGS…
debug_product() { "$ROOT/.build/debug/$1" "${@:2}"; }
