# contracts: the documents of the contract and the guide for upstream teams, tried on a live fleet.

# What trying them needs beside the fleet.
CONTRACT_PACKAGES=(python3-venv amqp-tools)

command_contracts() {
    ensure_swift
    ensure_packages "${CONTRACT_PACKAGES[@]}"
    use_run "$(default_run)/contract-servers"
    if [[ -z ${TURNSTILE_KEEP_SERVERS:-} ]]; then
        servers_reset
        on_exit servers_down
    fi
    start_build "building the fleet$(first_time debug)" --build-tests
    servers_up
    finish_build
    write_env
    run_contracts "$@"
}

# run_contracts ARGS: on the servers of the run directory, with the debug build; ARGS go to pytest.
run_contracts() {
    local tools status=0
    tools=$(venv contracts "$ROOT/Tests/LiveContracts/requirements.txt") || exit
    BUILD=debug
    on_exit fleet_down
    prepare_fleet
    fleet_up
    # shellcheck source=/dev/null
    source "$RUN/env"
    export PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=$RUN/hypothesis
    start_job "$ROOT/Tests/LiveContracts" "$tools/bin/python" -m pytest --quiet -p no:cacheprovider --tb=short "$@"
    finish_job || status=$?
    fleet_down
    return "$status"
}
