# What the script says, and what it puts right again on its way out.

say() { printf '%s\n' "$*"; }

complain() { printf 'compose/dev: %s\n' "$*" >&2; }

fail() {
    complain "$*"
    exit 1
}

# Functions to call when the script ends, however it ends; the last one added is called first.
CLEANUPS=()

on_exit() { CLEANUPS=("$1" ${CLEANUPS[@]+"${CLEANUPS[@]}"}); }

run_cleanups() {
    local status=$? cleanup
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    for cleanup in ${CLEANUPS[@]+"${CLEANUPS[@]}"}; do "$cleanup"; done
    exit "$status"
}

# What to tell somebody who interrupts.
AFTER_INTERRUPTION=

interrupted() {
    printf '\n' >&2
    complain "interrupted${AFTER_INTERRUPTION:+; $AFTER_INTERRUPTION}"
    exit "$1"
}

trap run_cleanups EXIT
trap 'interrupted 129' HUP
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# seconds_since MOMENT: how long ago that value of SECONDS was.
seconds_since() { printf '%d s' "$((SECONDS - $1))"; }

# show_tail FILE: the end of a log, for the message that says what failed.
show_tail() {
    printf 'the end of %s:\n' "$1" >&2
    tail -n 25 "$1" 2>/dev/null | sed 's/^/    /' >&2
}
