# Processes in the background: pid/NAME holds the pid and the birth of each, so that only our own is ever signalled.

# birth PID: boot and start time, which together with the pid name one process for ever; fails when it is no more.
birth() {
    local stat fields boot
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r boot </proc/sys/kernel/random/boot_id
    read -ra fields <<<"${stat##*) }"
    # The first thread of a killed process is a zombie while the others still hold its ports: it is not gone yet.
    [[ ${fields[0]} != Z ]] || has_other_threads "$1" || return 1
    printf '%s:%s' "${boot%%-*}" "${fields[19]}"
}

has_other_threads() {
    local threads=("/proc/$1/task"/*)
    ((${#threads[@]} > 1))
}

# pid NAME: its pid while it runs; fails when it does not.
pid() {
    local number born
    read -r number born 2>/dev/null <"$RUN/pid/$1" || return 1
    [[ $(birth "$number") == "$born" ]] || return 1
    printf '%s' "$number"
}

running() { pid "$1" >/dev/null; }

# start_process NAME USER DIRECTORY COMMAND…: runs COMMAND in a session of its own, its output in log/NAME.log.
start_process() {
    local name=$1 user=$2 directory=$3 child
    shift 3
    rm -f "$RUN/pid/$name" "$RUN/pid/$name.stopping"
    (
        cd "$directory" || exit
        child=$BASHPID
        printf '%s %s\n' "$child" "$(birth "$child")" >"$RUN/pid/$name.new"
        mv "$RUN/pid/$name.new" "$RUN/pid/$name"
        become "$user" setsid "$@"
    ) </dev/null >>"$RUN/log/$name.log" 2>&1 8<&- 9>&- &
    child=$!
    while [[ ! -s $RUN/pid/$name ]] && kill -0 "$child" 2>/dev/null; do sleep 0.01; done
}

# await NAME TITLE SECONDS PROBE…: waits until PROBE succeeds; fails when the process ends or the time is up.
await() {
    local name=$1 title=$2 limit=$3 began=$SECONDS told=$SECONDS trouble=
    shift 3
    until "$@"; do
        running "$name" || trouble="$title did not start"
        ((SECONDS - began < limit)) || trouble="$title was not ready after $limit seconds"
        if [[ -n $trouble ]]; then
            show_tail "$RUN/log/$name.log"
            complain "$trouble"
            return 1
        fi
        if ((SECONDS - told >= 10)); then
            told=$SECONDS
            say "  still waiting for $title ($(seconds_since "$began"))"
        fi
        sleep 0.1
    done
}

# stop_processes SIGNAL NAME…: asks them to stop; whoever must know that they have, calls settle_processes.
stop_processes() {
    local signal=$1 name number
    shift
    for name; do
        if number=$(pid "$name"); then
            touch "$RUN/pid/$name.stopping"
            kill -s "$signal" "$number" 2>/dev/null || true
        fi
    done
}

# settle_processes SECONDS NAME…: waits until they have ended, and kills those that do not.
settle_processes() {
    local limit=$1 began=$SECONDS name
    shift
    for name; do
        while running "$name" && ((SECONDS - began < limit)); do sleep 0.05; done
        if running "$name"; then
            say "  $name did not stop within $limit seconds; killing it"
            stop_processes KILL "$name"
            while running "$name"; do sleep 0.05; done
        fi
        rm -f "$RUN/pid/$name" "$RUN/pid/$name".*
    done
}

# settle_interrupted: what a stop that was interrupted left half-way comes to its end first.
settle_interrupted() {
    local file
    for file in "$RUN"/pid/*.stopping; do
        [[ ! -e $file ]] || settle_processes 30 "$(basename "$file" .stopping)"
    done
}

# start_job DIRECTORY COMMAND…: runs COMMAND in a session of its own, for as long as the script lives; JOB is its pid.
start_job() {
    local directory=$1
    shift
    (
        cd "$directory" || exit
        exec setsid "$@"
    ) </dev/null 8<&- 9>&- &
    JOB=$!
    on_exit end_job
}

# finish_job [SECONDS]: waits for it and gives its status; a job that takes longer than that is ended, and has failed.
# It may be interrupted, unlike a command in the foreground.
finish_job() {
    local status=0 limit=${1:-} began=$SECONDS
    while [[ -n $limit ]] && kill -0 "$JOB" 2>/dev/null; do
        if ((SECONDS - began >= limit)); then
            complain "it has not ended after $limit seconds, and is stopped"
            end_job
            return 1
        fi
        sleep 0.5
    done
    wait "$JOB" || status=$?
    # However it ended, also by a signal from elsewhere, what it had started must not live on.
    end_job
    return "$status"
}

# end_job: asks everything in the job's session to stop, and kills what has not after five seconds; SwiftPM's children
# have process groups of their own, but not sessions.
end_job() {
    local began=$SECONDS signal=TERM
    [[ -n ${JOB:-} ]] || return 0
    while signal_session "$JOB" "$signal"; do
        signal=0
        sleep 0.05
        ((SECONDS - began < 5)) || signal=KILL
    done
    wait "$JOB" 2>/dev/null || true
    JOB=
}

# signal_session SESSION SIGNAL: fails when nobody is left in it.
signal_session() {
    local directory stat fields found=1
    for directory in /proc/[0-9]*; do
        read -r stat 2>/dev/null <"$directory/stat" || continue
        read -ra fields <<<"${stat##*) }"
        [[ ${fields[3]} == "$1" && ${fields[0]} != Z ]] || continue
        found=0
        kill -s "$2" "${directory#/proc/}" 2>/dev/null || true
    done
    return "$found"
}
