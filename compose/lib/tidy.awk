# Fails on what the project does not want to see in its Swift sources.
BEGIN { longest = 300 }

FNR == 1 {
    tests = FILENAME ~ /^Tests\//
    client = FILENAME ~ /^Workers\/Clients\//
    executor = FILENAME ~ /^Tests\/Simulation\/.*Executor\.swift$/
    opened = 0
}

FNR == longest + 1 { complain("is longer than " longest " lines") }

{ code = $0; sub(/(^|[ \t])\/\/.*/, "", code) }

!client && !executor && code ~ /(^|[^A-Za-z0-9_@.])unsafe[ \t]/ { complain("unsafe outside Workers/Clients") }

client && tolower(code) ~ /saga|seat|reservation|purchase|refund|orchestrator/ { complain("a client knows a word of ticketing") }

FILENAME ~ /^Orchestrator\/Saga\// && code ~ /(^|[^A-Za-z0-9_])(async|await|Logger)([^A-Za-z0-9_]|$)|Date\(\)|Clock|\.now[^A-Za-z0-9_:]*$/ {
    complain("the saga is pure: no async, clock or logger")
}

tests { next }

code ~ /try\?/ { complain("try? swallows an error") }
code ~ /catch[^{]*\{[ \t]*\}/ || (opened && code ~ /^[ \t]*\}/) { complain("an empty catch swallows an error") }
code ~ /fatalError\(/ { complain("fatalError stops the process") }
code ~ /nonisolated\(unsafe\)/ { complain("nonisolated(unsafe) silences the compiler") }
code ~ /@unchecked[ \t]+Sendable/ { complain("@unchecked Sendable silences the compiler") }
/TODO|FIXME/ { complain("left-over") }

{ opened = code ~ /catch[^{}]*\{[ \t]*$/ }

function complain(message) { print FILENAME ":" FNR ": " message; failures++ }

END { exit failures > 0 }
