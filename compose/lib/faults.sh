# faults: real servers and real processes, broken in every way of the catalogue while a sale goes on.

command_faults() {
    local status=0
    ensure_swift
    ensure_packages
    [[ ${1:-} != --list ]] || { start_faults_build && finish_build && exec "$(debug_product faults)" --list; }
    use_run "$(default_run)/fault-servers"
    # What an earlier call found out is kept, so that the faults can be called one by one.
    [[ -z ${TURNSTILE_KEEP_SERVERS:-} ]] && { servers_reset && on_exit servers_down; }
    start_faults_build
    servers_up
    finish_build
    write_env
    # shellcheck source=/dev/null
    source "$RUN/env"
    export TURNSTILE_ROOT=$ROOT TURNSTILE_RUN=$RUN
    "$(debug_product turnstile)" migrate
    "$(debug_product turnstile)" topology apply
    # The suite stops and starts the servers by this very script, which must find the run directory free.
    exec 9>&-
    start_job "$ROOT" "$(debug_product faults)" "$@"
    finish_job || status=$?
    exec 9>"$RUN/lock"
    return "$status"
}

# Only debug builds know fault points.
start_faults_build() { start_build "building the fleet and the fault suite$(first_time debug)" --build-tests; }

debug_product() { printf '%s/.build/debug/%s' "$ROOT" "$1"; }
