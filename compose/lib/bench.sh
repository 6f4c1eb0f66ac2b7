# bench: the fleet in release mode on servers of its own, beside it the floor program, the least that one purchase
# costs, and its peers; and the microbenchmarks.

# bench [ARGS]: ARGS go to the bench program, but for
#   --document       also puts the results into the documentation
#   --page RESULTS   only makes report and charts, of results that are there
command_bench() {
    local arguments=() document='' results=''
    while (($# > 0)); do
        case $1 in
            --document) document=1 ;;
            --page) results=$(readlink -f "${2:?--page needs the file of the results}") && shift ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    ensure_packages python3-venv
    if [[ -n $results ]]; then
        use_run "$(default_run)/bench-servers"
    else
        measure_fleet ${arguments[@]+"${arguments[@]}"}
        results=$RUN/bench/results.json
    fi
    make_report "$results" "$document"
    return "${BENCH_STATUS:-0}"
}

measure_fleet() {
    local floor
    ensure_swift
    ensure_packages
    use_run "$(default_run)/bench-servers"
    start_release_build "building the fleet and its bench in release mode" "${PROGRAMS[@]}" bench
    finish_build
    bench_help_or_mistake "$@" || exit "$?"
    if [[ -z ${TURNSTILE_KEEP_SERVERS:-} ]]; then
        servers_reset
        on_exit stop_set
    fi
    servers_up
    write_env
    export TURNSTILE_ROOT=$ROOT TURNSTILE_RUN=$RUN
    floor=$(floor_package)
    [[ -z $floor ]] || prepare_floor "$floor"
    [[ " $* " != *" --peers "* ]] || prepare_peers
    prepare_fleet
    write_settings
    mkdir -p "$RUN/bench"
    run_bench "$@" || BENCH_STATUS=$?
}

# bench_help_or_mistake ARGS: nobody should wait for servers to read that there is no such scenario.
bench_help_or_mistake() {
    [[ " $* " != *" --help "* && " $* " != *" -h "* ]] || { "$(product bench)" --help && exit 0; }
    "$(product bench)" --only-check "$@"
}

# What each member of the fleet is told, for the bench, which starts them itself.
write_settings() {
    local name
    mkdir -p "$RUN/settings"
    chmod 700 "$RUN/settings"
    for name in "${FLEET[@]}"; do settings_of "$name" >"$RUN/settings/$name"; done
}

run_bench() {
    # shellcheck source=/dev/null
    source "$RUN/env"
    start_job "$ROOT" "$(product bench)" --results "$RUN/bench/results.json" "$@"
    finish_job
}

# make_report RESULTS [DOCUMENT]: report.md and charts beside the results; with DOCUMENT also in PERFORMANCE.md.
make_report() {
    local python folder=${1%/*} arguments=("$1")
    [[ -e $1 ]] || fail "there are no results in $1"
    python=$(venv bench-report "$ROOT/Tests/Load/Report/requirements.txt")/bin/python || exit
    [[ -z ${2:-} ]] || arguments+=(--document "$ROOT/Orchestrator/Documentation")
    "$python" "$ROOT/Tests/Load/Report/report.py" "${arguments[@]}"
    say "results, report and charts are in $(seen_from_here "$folder")"
}

# The package of the floor program, when there is one.
floor_package() {
    local folder
    for folder in "${TURNSTILE_FLOOR:-}" "$ROOT/../shared/floor"; do
        [[ -z $folder || ! -e $folder/Package.swift ]] || { printf '%s' "$folder" && return; }
    done
}

# Its folder may be read-only, so a copy is built, and built again only when a source is newer; its queues and tables go
# where the fleet's are not.
prepare_floor() {
    local folder=$ROOT/.run/floor
    mkdir -p "$folder"
    cp --recursive --preserve=timestamps --update "$1/." "$folder/"
    chmod -R u+w "$folder"
    start_build "building the floor program" --package-path "$folder" --configuration release --static-swift-stdlib \
        --product floor
    finish_build
    export BENCH_FLOOR=$folder/.build/release/floor
}

prepare_peers() {
    local folder
    folder=$(venv bench-peers "$ROOT/Tests/Load/Peers/requirements.txt") || exit
    export BENCH_PYTHON=$folder/bin/python
}
