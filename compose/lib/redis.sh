# The private Redis: a cache on loopback that keeps nothing.

REDIS_USER=redis

redis_start() {
    local debug=()
    running redis && return
    choose_port redis "$(first_port 16379)"
    private_directory "$REDIS_USER" "$DATA/redis"
    [[ $(redis-server --version) == *v=[0-6].* ]] || debug=(--enable-debug-command local)
    start_process redis "$REDIS_USER" "$DATA/redis" redis-server --bind 127.0.0.1 --port "$(port redis)" \
        --dir "$DATA/redis" --daemonize no --save '' --appendonly no \
        --maxmemory 256mb --maxmemory-policy allkeys-lru ${debug[@]+"${debug[@]}"}
}

# Ready when the one that answers is ours.
redis_ready() {
    local answer
    answer=$(timeout 2 redis-cli -h 127.0.0.1 -p "$(port redis)" info server 2>/dev/null) || return 1
    [[ $answer == *process_id:"$(pid redis)"$'\r'* ]]
}

redis_url() { printf 'redis://127.0.0.1:%s/0' "$(port redis)"; }

redis_await() {
    await redis Redis 20 redis_ready || return 1
    say "  Redis is ready on 127.0.0.1:$(port redis)"
}
