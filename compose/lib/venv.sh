# Python environments for the tools of tests and benches, each made once from its pinned requirements.

# venv NAME REQUIREMENTS: prints the folder of the environment NAME, which holds what the file REQUIREMENTS pins.
# It is made on first use and again when the file or Python changes; once made, it needs no network. Making it needs
# the package python3-venv: ensure_packages python3-venv.
venv() {
    local folder=$ROOT/.build-tools/$1 requirements=$2 wanted
    [[ -r $requirements ]] || fail "there is no list of packages $requirements"
    mkdir -p "$ROOT/.build-tools"
    wanted=$(venv_fingerprint "$requirements")
    (
        flock 8
        [[ $(cat "$folder/made-from" 2>/dev/null) == "$wanted" ]] || make_venv "$folder" "$requirements" "$wanted"
    ) 8>"$folder.lock" >&2 || return
    printf '%s' "$folder"
}

venv_fingerprint() { { python3 --version && cat "$1"; } | cksum; }

# The fingerprint is written last, so what an interruption leaves behind is made again.
make_venv() {
    local folder=$1 requirements=$2 log=$1.log began=$SECONDS
    say "making the Python environment ${folder##*/} (once, up to a minute)"
    rm -rf "$folder"
    {
        python3 -m venv "$folder" &&
            "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    } 8>&- &>"$log" || {
        show_tail "$log"
        fail "the Python packages of $requirements could not be installed; all of pip's words are in $log"
    }
    printf '%s' "$3" >"$folder/made-from"
    say "  made ($(seconds_since "$began"))"
}
