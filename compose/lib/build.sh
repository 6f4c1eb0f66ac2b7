# Building with SwiftPM in the background, so that servers can start meanwhile, with a line of progress now and then.

ensure_swift() {
    command -v swift >/dev/null ||
        fail "there is no Swift toolchain in PATH; version 6.2 or later is needed: https://www.swift.org/install/linux"
}

# start_build TITLE ARGS…: starts `swift build ARGS`.
start_build() {
    BUILD_BEGAN=$SECONDS
    BUILD_LOG=$RUN/log/build.log
    say "$1"
    shift
    start_job "$ROOT" swift build "$@" >"$BUILD_LOG" 2>&1
}

# start_release_build TITLE ARGS…: programs as they are measured and shipped, with Swift's own libraries inside, for calls
# into those are direct then (PERFORMANCE.md).
start_release_build() {
    start_build "$1$(first_time release)" --configuration release --static-swift-stdlib "${@:2}"
}

# first_time CONFIGURATION: what to expect of a build in a fresh clone.
first_time() { [[ -e $ROOT/.build/$1 ]] || printf " (the first time 5 to 10 minutes on two cores, later seconds)"; }

# finish_build: waits for the build; what the compiler complained about is shown when it fails.
finish_build() {
    local told=$SECONDS
    while kill -0 "$JOB" 2>/dev/null; do
        sleep 0.2
        ((SECONDS - told >= 15)) || continue
        told=$SECONDS
        say "  $(tail -c 4096 "$BUILD_LOG" | tr '\r' '\n' | grep . | tail -n 1 | cut -c1-100) ($(seconds_since "$BUILD_BEGAN"))"
    done
    finish_job || {
        grep -E '(error|warning): ' "$BUILD_LOG" | sort -u >&2 || show_tail "$BUILD_LOG"
        fail "the build failed; all of its output is in $BUILD_LOG"
    }
    say "  built ($(seconds_since "$BUILD_BEGAN"))"
}

# The build that programs are taken from.
BUILD=release

# product NAME: the path of a program.
product() { printf '%s/.build/%s/%s' "$ROOT" "$BUILD" "$1"; }
