# test: everything, on fresh servers of its own that are stopped at the end however it ends.

# A real Prometheus scrapes the fleet in a test; Debian's package brings promtool too. nghttpd serves HTTP/2, openssl
# makes a test authority and serves TLS.
TEST_PACKAGES=(prometheus nghttp2-server openssl)

# Seconds; five times what the tests take on two cores.
TEST_LIMIT=2400

command_test() {
    ensure_swift
    ensure_packages "${TEST_PACKAGES[@]}" "${CONTRACT_PACKAGES[@]}"
    use_run "$(default_run)/test-servers"
    if [[ -n ${TURNSTILE_KEEP_SERVERS:-} ]]; then
        AFTER_INTERRUPTION="the servers stay up; compose/dev down stops them"
    else
        servers_reset
        on_exit servers_down
    fi
    start_build "building the fleet and its tests$(first_time debug)" --build-tests
    servers_up
    finish_build
    write_env
    # shellcheck source=/dev/null
    source "$RUN/env"
    export TURNSTILE_TEST=1 TURNSTILE_RUN=$RUN
    # One test at a time: tests of deadlines must not wait for the cores behind whole fleets. Line by line, so that
    # the last test named is the one that hung, when the limit ends it.
    start_job "$ROOT" stdbuf --output=L swift test --skip-build --no-parallel "$@"
    finish_job "$TEST_LIMIT"
    if (($# == 0)); then
        say "the worst faults, during a sale"
        run_faults "${SHORT_FAULTS[@]}"
        # Last, for it leaves purchases behind that the faults' accounts would count.
        say "the contract, on a live fleet"
        run_contracts
    fi
}
