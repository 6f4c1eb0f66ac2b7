# Fails when a Swift file imports one of our modules that its own module may not know.
# The table is the one of the architecture: folder, module, what it may import. Tests may import anything.
BEGIN {
    clients = " Connections RabbitMQ Postgres Redis Curl "
    workers = " Reservation Payment Notification Expiry Recommendation "

    module("Contracts/Messages", "Contracts", "")
    module("Contracts/Topology", "Topology", "Contracts")
    module("Contracts/Documents", "ContractDocuments", "")
    module("Workers/Clients/Connections", "Connections", "CLinux")
    module("Workers/Clients/RabbitMQ", "RabbitMQ", "CRabbitMQ Connections")
    module("Workers/Clients/Postgres", "Postgres", "CPostgres Connections")
    module("Workers/Clients/Redis", "Redis", "CHiredis Connections")
    module("Workers/Clients/Curl", "Curl", "CCurl Connections")
    module("Workers/Runtime", "FleetRuntime", "Contracts Topology" clients)
    module("Workers/Reservation", "Reservation", "FleetRuntime Contracts" clients)
    module("Workers/Payment", "Payment", "FleetRuntime Contracts" clients)
    module("Workers/Notification", "Notification", "FleetRuntime Contracts" clients)
    module("Workers/Expiry", "Expiry", "FleetRuntime Contracts" clients)
    module("Workers/Recommendation", "Recommendation", "FleetRuntime Contracts" clients)
    module("Workers/Main", "worker", "FleetRuntime Contracts Topology" clients workers)
    module("Orchestrator/Saga", "SagaCore", "Contracts")
    module("Orchestrator/Service", "OrchestratorService", "SagaCore FleetRuntime Contracts ContractDocuments" clients)
    module("Orchestrator/Main", "orchestrator", "OrchestratorService SagaCore FleetRuntime Contracts Topology" clients)
    module("Orchestrator/Operator", "turnstile", "OrchestratorService SagaCore FleetRuntime Contracts Topology" clients workers)

    ours("CLinux"); ours("CRabbitMQ"); ours("CPostgres"); ours("CHiredis"); ours("CCurl")
}

function module(folder, name, imports, names, count, i) {
    owner[folder] = name
    ours(name)
    count = split(imports, names, " ")
    for (i = 1; i <= count; i++) allowed[name, names[i]] = 1
}

function ours(name) { known[name] = 1 }

# The three first folders of a path name its module, or the two first.
FNR == 1 {
    split(FILENAME, folder, "/")
    path = folder[1] "/" folder[2]
    current = (path "/" folder[3]) in owner ? owner[path "/" folder[3]] : owner[path]
    if (current == "") complain(FILENAME ": belongs to no module of the table in compose/lib/arrows.awk")
}

/^[ \t]*(@[A-Za-z]+[ \t]+)*((public|package|internal|fileprivate|private)[ \t]+)?import[ \t]/ {
    line = $0
    sub(/\/\/.*/, "", line)
    sub(/^.*import[ \t]+/, "", line)
    sub(/^(typealias|struct|class|enum|protocol|let|var|func)[ \t]+/, "", line)
    sub(/[.; \t\r].*/, "", line)
    if (line in known && line != current && !((current, line) in allowed))
        complain(FILENAME ":" FNR ": " current " may not import " line)
}

function complain(message) { print message; failures++ }

END { exit failures > 0 }
