# The three private servers as one set.

command_servers() {
    local action=${1:-}
    shift || true
    case $action in
        up) servers_command_up ;;
        down) servers_command_down "$@" ;;
        env) servers_command_env ;;
        rabbitmqctl) servers_command_rabbitmqctl "$@" ;;
        *) fail "servers up, servers down [--wipe], servers env or servers rabbitmqctl" ;;
    esac
}

servers_command_up() {
    ensure_packages
    use_run "$(default_run)"
    servers_up
    write_env
    say "source $(seen_from_here "$RUN/env") reaches them"
}

servers_command_down() {
    use_run "$(default_run)"
    ! fleet_runs || fail "the fleet is running on these servers; stop it with: compose/dev down"
    servers_down
    [[ ${1:-} != --wipe ]] || wipe_run
}

servers_command_env() {
    local file
    file=$(default_run)/env
    [[ -r $file ]] || fail "no servers yet; start them with: compose/dev servers up"
    cat "$file"
}

servers_command_rabbitmqctl() {
    look_at_run
    running rabbitmq || fail "RabbitMQ is not running; start it with: compose/dev servers up"
    rabbitmqctl_private "$@"
}

# Starts what does not run, all three at once, and waits until all of it answers.
servers_up() {
    servers_run || {
        say "starting PostgreSQL, RabbitMQ and Redis in $RUN"
        lock_ports
    }
    rabbitmq_start
    redis_start
    postgres_start
    { redis_await && postgres_await && rabbitmq_await; } || fail "the servers could not be started; their logs are in $RUN/log"
    unlock_ports
}

servers_run() { running rabbitmq && running redis && running postgres; }
servers_stopped() { ! running rabbitmq && ! running redis && ! running postgres && ! running epmd; }

servers_down() {
    stop_processes INT postgres
    stop_processes TERM redis rabbitmq
    settle_processes 30 redis postgres rabbitmq
    stop_processes TERM epmd
    settle_processes 5 epmd
}

# Empty servers instead of whatever was there.
servers_reset() {
    servers_down
    wipe_run
    prepare_run
}

# What a shell needs to reach the fleet and its servers, in .run/env.
write_env() {
    choose_fleet_ports
    (
        umask 077
        cat >"$RUN/env.new" <<ENVIRONMENT
export TURNSTILE_URL='$(turnstile_url)'
export DATABASE_URL='$(database_url turnstile "$(secret postgres)")'
export AMQP_URL='$(amqp_url)'
export AMQP_MANAGEMENT_URL='$(management_url)'
export REDIS_URL='$(redis_url)'
export OPERATOR_KEY='$(secret operator)'
export OPERATOR_KEYS='$(secret operator)'
ENVIRONMENT
    )
    mv "$RUN/env.new" "$RUN/env"
}
