# sim: the whole fleet in simulated storms, in release mode; no servers are needed.

# sim [--seed N] [--seeds K] [--history]: the same seed gives the same history to the byte.
command_sim() {
    ensure_swift
    ensure_packages
    use_run "$(default_run)"
    start_release_build "building the simulator" sim
    finish_build
    start_job "$ROOT" "$(product sim)" "$@"
    finish_job
}
