# Flattens JSON into lines of path, tab, value: {"a": [{"b": 1}]} becomes "a.0.b	1".
{ rest = rest $0 "\n" }

END { value("") }

function value(path) {
    sub(/^[ \t\r\n]+/, "", rest)
    if (rest ~ /^\{/) members(path, "}")
    else if (rest ~ /^\[/) members(path, "]")
    else if (rest ~ /^"/) print path "\t" text()
    else if (match(rest, /^[-+.a-zA-Z0-9]+/)) print path "\t" take(RLENGTH)
    else rest = ""
}

function members(path, closing, index_, key) {
    take(1)
    for (index_ = 0; rest != ""; index_++) {
        sub(/^[ \t\r\n,]+/, "", rest)
        if (substr(rest, 1, 1) == closing) { take(1); return }
        key = index_
        if (closing == "}") { key = text(); sub(/^[ \t\r\n]*:/, "", rest) }
        value(path == "" ? key : path "." key)
    }
}

function text(string) {
    if (!match(rest, /^"([^"\\]|\\.)*"/)) { rest = ""; return "" }
    string = take(RLENGTH)
    string = substr(string, 2, length(string) - 2)
    gsub(/\\[nrt]/, " ", string)
    gsub(/\\\//, "/", string)
    gsub(/\\"/, "\"", string)
    return string
}

function take(count, taken) {
    taken = substr(rest, 1, count)
    rest = substr(rest, count + 1)
    return taken
}
