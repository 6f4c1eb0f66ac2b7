# The private RabbitMQ: a node, a port mapper (epmd), a cookie and a configuration of its own, all on loopback.
# The distribution's wrapper insists on the system's node and user, so the server's own scripts are called directly.

RABBITMQ_USER=rabbitmq

rabbitmq_scripts() {
    local directory
    directory=$(find /usr/lib/rabbitmq/lib -mindepth 2 -maxdepth 2 -name sbin 2>/dev/null | sort -V | tail -n 1)
    [[ -n $directory ]] || fail "no RabbitMQ under /usr/lib/rabbitmq/lib"
    printf '%s' "$directory"
}

# rabbitmq_environment: fills ENVIRONMENT with all that a script of the server may know; nothing comes from the caller's shell.
rabbitmq_environment() {
    local home=$DATA/rabbitmq
    ENVIRONMENT=(
        PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$home"
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$(port epmd)"
        RABBITMQ_NODENAME="turnstile-$(run_id)@localhost"
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$(port amqp)" RABBITMQ_DIST_PORT="$(port distribution)"
        RABBITMQ_CONF_ENV_FILE="$home/rabbitmq-env.conf" RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf"
        RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config" RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins"
        RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_GENERATED_CONFIG_DIR="$home/generated"
        RABBITMQ_LOG_BASE="$home/log" RABBITMQ_LOGS=- RABBITMQ_PID_FILE="$home/node.pid"
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
    )
}

rabbitmq_start() {
    local ENVIRONMENT
    if ! running rabbitmq; then
        stop_processes TERM epmd
        settle_processes 5 epmd
        choose_port amqp "$(first_port 15673)"
        choose_port management "$(first_port 15674)"
        choose_port distribution "$(first_port 25673)"
        choose_port epmd "$(first_port 14369)"
        rabbitmq_configure
    fi
    rabbitmq_environment
    running epmd || start_process epmd "$RABBITMQ_USER" "$DATA/rabbitmq" env -i "${ENVIRONMENT[@]}" epmd
    # With RUNNING_UNDER_SYSTEMD the script becomes the server instead of watching over it: the pid stays the same.
    running rabbitmq || start_process rabbitmq "$RABBITMQ_USER" "$DATA/rabbitmq" \
        env -i "${ENVIRONMENT[@]}" RUNNING_UNDER_SYSTEMD=true "$(rabbitmq_scripts)/rabbitmq-server"
}

rabbitmq_configure() {
    local home=$DATA/rabbitmq
    private_directory "$RABBITMQ_USER" "$home"
    private_file "$RABBITMQ_USER" "$home/rabbitmq-env.conf" </dev/null
    private_file "$RABBITMQ_USER" "$home/enabled_plugins" <<<'[rabbitmq_management].'
    BROKER_USER=turnstile BROKER_PASSWORD=$(secret amqp) "$COMPOSE/rabbitmq/with-user" <"$COMPOSE/rabbitmq/definitions.json" |
        private_file "$RABBITMQ_USER" "$home/definitions.json"
    private_file "$RABBITMQ_USER" "$home/rabbitmq.conf" <<CONFIGURATION
listeners.tcp.1 = 127.0.0.1:$(port amqp)
management.tcp.ip = 127.0.0.1
management.tcp.port = $(port management)
load_definitions = $home/definitions.json
loopback_users.turnstile = true
heartbeat = 10
frame_max = 131072
channel_max = 128
max_message_size = 1048576
collect_statistics_interval = 5000
disk_free_limit.absolute = 256MB
vm_memory_high_watermark.relative = 0.4
log.console = true
log.console.level = info
CONFIGURATION
}

# management METHOD PATH [CURL-ARGS…]: a request to the management API; the password stays out of the process list.
management() {
    local method=$1 path=$2
    shift 2
    printf 'user = "turnstile:%s"\n' "$(secret amqp)" |
        curl --config - --silent --show-error --fail --max-time 5 --request "$method" "$@" "http://127.0.0.1:$(port management)/api$path"
}

rabbitmq_ready() { management GET "/health/checks/port-listener/$(port amqp)" >/dev/null 2>&1; }

rabbitmqctl_private() {
    local ENVIRONMENT
    rabbitmq_environment
    (cd "$DATA/rabbitmq" && as_user "$RABBITMQ_USER" env -i "${ENVIRONMENT[@]}" "$(rabbitmq_scripts)/rabbitmqctl" "$@")
}

amqp_url() { printf 'amqp://turnstile:%s@127.0.0.1:%s/%%2f' "$(secret amqp)" "$(port amqp)"; }
management_url() { printf 'http://turnstile:%s@127.0.0.1:%s' "$(secret amqp)" "$(port management)"; }

rabbitmq_await() {
    await rabbitmq RabbitMQ 180 rabbitmq_ready || return 1
    say "  RabbitMQ is ready on 127.0.0.1:$(port amqp), its management on 127.0.0.1:$(port management)"
}
