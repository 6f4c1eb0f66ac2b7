# micro: what the pieces of the hot path cost in instructions and allocations, which no other load on the machine changes.

# micro [--update]: compares with the thresholds of this compiler, or writes them down.
command_micro() {
    ensure_swift
    ensure_packages valgrind python3
    use_run "$(default_run)"
    start_release_build "building the microbenchmarks in release mode" micro
    finish_build
    say "microbenchmarks"
    start_job "$ROOT" python3 -B "$ROOT/Tests/Load/Micro/measure.py" "$(product micro)" "$(micro_thresholds)" "$@"
    finish_job
}

# The thresholds of this compiler, by its first two numbers.
micro_thresholds() {
    printf '%s/Tests/Load/Micro/Thresholds/%s.json' "$ROOT" \
        "$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | head -n 1 | cut -d' ' -f3)"
}
