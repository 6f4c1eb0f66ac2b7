# status and logs: they look, and change nothing.

command_status() {
    local name
    look_at_run
    printf '%-16s %-8s %-20s %-10s %s\n' PROCESS PID SINCE HEALTH ADDRESS
    for name in "${FLEET[@]}"; do
        status_line "$name" "$(address_of "$name")" healthy "$name"
    done
    status_line postgres "$(address_of postgres)" postgres_ready
    status_line rabbitmq "$(address_of amqp), management $(address_of management)" rabbitmq_ready
    status_line redis "$(address_of redis)" redis_ready
}

# status_line NAME ADDRESS PROBE…
status_line() {
    local name=$1 address=$2 number since=- health=down
    shift 2
    if number=$(pid "$name"); then
        since=$(started_at "$number")
        if "$@"; then health=ready; else health=unready; fi
    fi
    printf '%-16s %-8s %-20s %-10s %s\n' "$name" "${number:--}" "$since" "$health" "$address"
}

address_of() {
    local name=$1
    [[ $name != orchestrator ]] || name=http
    [[ ! -s $RUN/ports/$name ]] || printf '127.0.0.1:%s' "$(port "$name")"
}

# started_at PID: the kernel counts in ticks since boot.
started_at() {
    local born booted
    born=$(birth "$1")
    booted=$(awk '$1 == "btime" { print $2 }' /proc/stat)
    date --date="@$((booted + ${born#*:} / $(getconf CLK_TCK)))" '+%F %T'
}

command_logs() {
    local name='' follow='' argument files
    for argument; do
        if [[ $argument == -f ]]; then follow=1; else name=$argument; fi
    done
    look_at_run
    files=("$RUN"/log/*.log)
    if [[ -n $name ]]; then
        files=("$RUN/log/$name.log")
        [[ -e ${files[0]} ]] || fail "there is no log of '$name'; there are: $(basename --suffix=.log --multiple "$RUN"/log/*.log | tr '\n' ' ')"
    fi
    if [[ -n $follow ]]; then
        exec tail -n 20 -F "${files[@]}"
    else
        exec tail -n 50 "${files[@]}"
    fi
}
