# check and format: what must hold before a change lands.

SOURCES=(Package.swift Contracts Orchestrator Workers Tests)

# The suites that need servers see none and stand aside.
NO_SERVERS=(--unset=DATABASE_URL --unset=AMQP_URL --unset=AMQP_MANAGEMENT_URL --unset=REDIS_URL --unset=TURNSTILE_TEST)

command_format() {
    ensure_swift
    (cd "$ROOT" && swift format --in-place --recursive --parallel "${SOURCES[@]}")
}

# check [--sources]: with --sources only what needs no build.
command_check() {
    ensure_swift
    cd "$ROOT" || exit
    check_sources
    [[ ${1:-} != --sources ]] || return 0
    ensure_packages
    use_run "$(default_run)"
    start_build "building everything, warnings as errors$(first_time debug)" --build-tests
    finish_build
    say "unit tests"
    start_job "$ROOT" env "${NO_SERVERS[@]}" swift test --skip-build
    finish_job
    command_micro
}

check_sources() {
    local failures=0
    check_step "format" swift format lint --strict --recursive --parallel "${SOURCES[@]}"
    check_step "tidiness" over_sources tidy.awk
    check_step "shell scripts" check_scripts
    check_step "alert rules" check_alerts
    check_step "packages" check_packages
    ((failures == 0)) || fail "$failures checks failed"
}

# check_step TITLE COMMAND…: all steps run, so that one look shows everything.
check_step() {
    local title=$1
    shift
    say "$title"
    "$@" || failures=$((failures + 1))
}

# over_sources SCRIPT: an awk script over every Swift file.
over_sources() {
    find Contracts Orchestrator Workers Tests -name '*.swift' -print0 | sort --zero-terminated |
        xargs --null --no-run-if-empty awk -f "$COMPOSE/lib/$1"
}

check_scripts() {
    command -v shellcheck >/dev/null || { say "  shellcheck is not installed; skipped" && return; }
    shellcheck "$COMPOSE/dev" "$COMPOSE"/lib/*.sh "$COMPOSE/rabbitmq/with-user" "$ROOT/.ci/run"
}

# The rules parse, and fire and stay silent as their tests say.
check_alerts() {
    command -v promtool >/dev/null || { say "  promtool is not installed; skipped (compose/dev test installs it)" && return; }
    local folder=$COMPOSE/prometheus
    promtool check config "$folder/prometheus.yaml" >"$folder.log" 2>&1 &&
        promtool test rules "$folder/alerts.test.yaml" >>"$folder.log" 2>&1 && rm -f "$folder.log" && return
    cat "$folder.log"
    rm -f "$folder.log"
    return 1
}

# The packages that SwiftPM uses here, and theirs, are of the versions in compose/packages.lock.
check_packages() {
    settle_packages
    diff <(listed_packages) <(used_packages) ||
        { say "  compose/packages.lock lists < and the build uses >; if that is meant: cp Package.resolved compose/packages.lock" && return 1; }
}

listed_packages() {
    awk -f "$COMPOSE/lib/json.awk" "$COMPOSE/packages.lock" |
        awk -F '\t' '/^pins.*\.identity\t/ { name = $2 } /^pins.*\.version\t/ { print name, $2 }' | sort
}

used_packages() { swift package show-dependencies --format text | sed -nE 's/.* ([^ ]+)<.*@([^>@]+)>.*/\1 \2/p' | sort -u; }
