# Building with SwiftPM in the background, so that servers can start meanwhile, with a line of progress now and then.

ensure_swift() {
    command -v swift >/dev/null ||
        fail "there is no Swift toolchain in PATH; version 6.2 or later is needed: https://www.swift.org/install/linux"
}

# start_build TITLE ARGS…: starts `swift build ARGS`. An import that the manifest does not list for the target is an error.
start_build() {
    begin_build "$1"
    start_job "$ROOT" swift build --explicit-target-dependency-import-check error "${@:2}" >"$BUILD_LOG" 2>&1
}

# start_release_build TITLE PRODUCT…: programs as they are measured and shipped, with Swift's own libraries inside, for
# calls into those are direct then (PERFORMANCE.md). SwiftPM builds one product at a time, or all.
start_release_build() {
    begin_build "$1$(first_time release)"
    # shellcheck disable=SC2016
    start_job "$ROOT" bash -c 'for product; do
        swift build --configuration release --static-swift-stdlib --product "$product" || exit
    done' build "${@:2}" >"$BUILD_LOG" 2>&1
}

begin_build() {
    BUILD_BEGAN=$SECONDS
    BUILD_LOG=$RUN/log/build.log
    say "$1"
    settle_packages
}

# A clone in which no packages were chosen yet takes those that the project was built and tested with.
settle_packages() { [[ -e $ROOT/Package.resolved ]] || cp "$COMPOSE/packages.lock" "$ROOT/Package.resolved"; }

# first_time CONFIGURATION: what to expect of a build in a fresh clone.
first_time() { [[ -e $ROOT/.build/$1 ]] || printf " (the first time 5 to 10 minutes on two cores, later seconds)"; }

# finish_build: waits for the build; what the compiler complained about is shown when it fails.
finish_build() {
    local told=$SECONDS
    while kill -0 "$JOB" 2>/dev/null; do
        sleep 0.2
        ((SECONDS - told >= 15)) || continue
        told=$SECONDS
        say "  $(build_progress) ($(seconds_since "$BUILD_BEGAN"))"
    done
    finish_job || {
        grep -E '(error|warning): ' "$BUILD_LOG" | sort -u >&2 || show_tail "$BUILD_LOG"
        fail "the build failed; all of its output is in $BUILD_LOG"
    }
    say "  built ($(seconds_since "$BUILD_BEGAN"))"
}

# build_progress: what is being built and how far it is: "compiling 312 of 640, NIOPosix". The number of steps grows while
# SwiftPM finds more of them.
build_progress() {
    tail -c 4096 "$BUILD_LOG" | tr '\r' '\n' | sed -nE '
        s/^\[([0-9]+)\/([0-9]+)\] (Compiling|Emitting module) ([^ ]+).*/compiling \1 of \2, \4/p; t
        s/^\[([0-9]+)\/([0-9]+)\] Linking ([^ ]+).*/linking \1 of \2, \3/p; t
        s/^\[([0-9]+)\/([0-9]+)\] .*/preparing \1 of \2/p; t
        s/^(Fetching|Fetched|Updating|Creating working copy for) ([^ ]+).*/getting \2/p' | grep . | tail -n 1 || printf planning
}

# The build that programs are taken from.
BUILD=release

# product NAME: the path of a program.
product() { printf '%s/.build/%s/%s' "$ROOT" "$BUILD" "$1"; }
