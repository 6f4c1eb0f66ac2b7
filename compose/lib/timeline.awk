# Prints a saga, flattened by json.awk, as a table of its steps.
BEGIN { FS = "\t" }

{ count = split($1, path, ".") }

count == 1 { field[$1] = $2 }

path[1] == "timeline" {
    if (path[2] + 1 > steps) steps = path[2] + 1
    slot = path[2] SUBSEP path[3]
    step[slot] = step[slot] (step[slot] == "" ? "" : ", ") $2
}

path[1] == "tickets" && $2 != "null" {
    if (path[2] + 1 > tickets) tickets = path[2] + 1
    ticket[path[2]] = ticket[path[2]] (ticket[path[2]] == "" ? "" : "  ") (count == 2 ? "" : path[count] " ") $2
}

END {
    print "saga " field["sagaId"] ": " field["state"] (field["reason"] == "" || field["reason"] == "null" ? "" : " (" field["reason"] ")")
    for (i = 0; i < steps; i++)
        printf "  %-12s  %-14s  %-28s  %s\n", time(step[i, "at"]), step[i, "input"], move(step[i, "from"], step[i, "to"]), step[i, "effects"]
    for (i = 0; i < tickets; i++) print "  ticket: " ticket[i]
}

function time(at) { sub(/^[^T]*T/, "", at); sub(/Z$/, "", at); return substr(at, 1, 12) }

function move(from, to) { return from == "" || from == "null" || from == to ? to : from " -> " to }
