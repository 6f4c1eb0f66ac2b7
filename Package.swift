// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioFoundation: Target.Dependency = .product(name: "NIOFoundationEssentialsCompat", package: "swift-nio")
let nioFoundationCompat: Target.Dependency = .product(name: "NIOFoundationCompat", package: "swift-nio")
let httpParts: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let collections: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

func module(
    _ name: String, at path: String, _ dependencies: [Target.Dependency], embedding resources: [String] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path, resources: resources.map { .embedInCode($0) },
        swiftSettings: strict)
}

/// A C library of the system, wrapped in `Workers/Clients`; a build that does not find it names the package to install.
func library(_ name: String, _ pkgConfig: String?, package: String) -> Target {
    .systemLibrary(
        name: name, path: "Workers/Clients/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

func program(_ name: String, at path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

let package = Package(
    name: "turnstile",
    dependencies: [
        // Of two traits or more SwiftPM shuffles the flags each time that it plans a build, and compiles everything again.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLinux", path: "Workers/Clients/CLinux"),
        library("CRabbitMQ", "librabbitmq", package: "librabbitmq-dev"),
        library("CPostgres", "libpq", package: "libpq-dev"),
        // SwiftPM would warn of a flag in this one's pkg-config file with each build; its shim names the package itself.
        library("CHiredis", nil, package: "libhiredis-dev"),
        library("CCurl", "libcurl", package: "libcurl4-openssl-dev"),
        module("Connections", at: "Workers/Clients/Connections", ["CLinux", collections]),
        module("RabbitMQ", at: "Workers/Clients/RabbitMQ", ["CRabbitMQ", "Connections", logging, collections]),
        module("Postgres", at: "Workers/Clients/Postgres", ["CPostgres", "Connections", logging, collections]),
        module("Redis", at: "Workers/Clients/Redis", ["CHiredis", "Connections", logging]),
        module("Curl", at: "Workers/Clients/Curl", ["CCurl", "Connections", collections]),

        module("WireJSON", at: "Contracts/JSON", []),
        module("Contracts", at: "Contracts/Messages", ["WireJSON", crypto]),
        module("Topology", at: "Contracts/Topology", ["Contracts"]),
        .target(
            name: "ContractDocuments", dependencies: [yams], path: "Contracts",
            exclude: ["JSON", "Messages", "Topology", "Golden", "UPSTREAM.md"], sources: ["Documents"],
            resources: [.embedInCode("openapi.yaml"), .embedInCode("asyncapi.yaml"), .embedInCode("shapes.yaml")],
            swiftSettings: strict),

        module(
            "FleetRuntime", at: "Workers/Runtime",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", lifecycle, logging,
                metrics,
            ]),
        module(
            "FleetStorage", at: "Workers/Storage",
            ["WireJSON", "Contracts", "Connections", "Postgres", "FleetRuntime", crypto, logging]),
        module(
            "FleetInspection", at: "Workers/Inspection",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Redis", "Curl", "FleetRuntime",
                logging, nio,
            ]),
        module(
            "Hosting", at: "Workers/Hosting",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", "FleetRuntime",
                "FleetStorage", "FleetInspection", configuration, httpParts, httpTypes, hummingbird, hummingbirdCore,
                lifecycle, logging, metrics, nio, nioFoundation, signals,
            ]),
        module(
            "Reservation", at: "Workers/Reservation",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "Redis", "FleetRuntime", "FleetStorage", "Hosting",
                lifecycle, logging,
            ], embedding: ["Migrations"]),
        module(
            "Payment", at: "Workers/Payment",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "Hosting",
                lifecycle, logging, metrics,
            ], embedding: ["Migrations"]),
        module(
            "Notification", at: "Workers/Notification",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "Hosting",
                lifecycle, logging,
            ], embedding: ["Migrations"]),
        module(
            "Expiry", at: "Workers/Expiry",
            [
                "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "Hosting", lifecycle, logging,
                metrics,
            ], embedding: ["Migrations"]),
        module(
            "Recommendation", at: "Workers/Recommendation",
            ["Contracts", "Postgres", "FleetRuntime", "FleetStorage", "Hosting", lifecycle], embedding: ["Migrations"]),
        program(
            "worker", at: "Workers/Main",
            ["Hosting", "Reservation", "Payment", "Notification", "Expiry", "Recommendation", lifecycle]),

        module("SagaCore", at: "Orchestrator/Saga", ["Contracts"]),
        module(
            "Engine", at: "Orchestrator/Engine",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "SagaCore",
                collections, lifecycle, logging, metrics,
            ]),
        module("Audit", at: "Orchestrator/Audit", ["Contracts", "Postgres", "FleetRuntime", "FleetStorage"]),
        module(
            "Catalogue", at: "Orchestrator/Catalogue",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "Redis", "FleetRuntime", "FleetStorage",
                lifecycle, logging, metrics,
            ]),
        module(
            "Purchases", at: "Orchestrator/Purchases",
            [
                "WireJSON", "Contracts", "Connections", "RabbitMQ", "Postgres", "Redis", "FleetRuntime", "FleetStorage",
                "SagaCore", "Engine", "Catalogue", metrics,
            ]),
        module(
            "Operations", at: "Orchestrator/Operations",
            [
                "WireJSON", "Contracts", "Connections", "RabbitMQ", "Postgres", "Redis", "FleetRuntime", "FleetStorage",
                "FleetInspection", "SagaCore", "Engine", "Audit", crypto, lifecycle, logging,
            ]),
        module(
            "Verification", at: "Orchestrator/Verification",
            ["WireJSON", "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "SagaCore", logging]),
        module(
            "WebKit", at: "Orchestrator/Web/Kit",
            [
                "WireJSON", "Contracts", "ContractDocuments", "Connections", "Postgres", "FleetRuntime", "Hosting",
                "Audit", crypto, httpParts, httpTypes, hummingbird, logging, metrics, nio, nioFoundation,
            ]),
        module(
            "WebAPI", at: "Orchestrator/Web/API",
            [
                "WireJSON", "Contracts", "ContractDocuments", "RabbitMQ", "Postgres", "Redis", "FleetRuntime",
                "FleetStorage", "FleetInspection", "Hosting", "SagaCore", "Engine", "Audit", "Catalogue", "Purchases",
                "Operations", "Verification", "WebKit", crypto, httpTypes, hummingbird, lifecycle, logging, nio,
            ], embedding: ["Documents/docs.css"]),
        module(
            "OrchestratorService", at: "Orchestrator/Service",
            [
                "Contracts", "Connections", "Postgres", "FleetRuntime", "FleetStorage", "FleetInspection", "Hosting",
                "SagaCore", "Engine", "Audit", "Catalogue", "Purchases", "Operations", "Verification", "WebKit",
                "WebAPI", hummingbird, lifecycle, logging,
            ], embedding: ["Migrations"]),
        program("orchestrator", at: "Orchestrator/Main", ["Hosting", "OrchestratorService"]),
        program(
            "turnstile", at: "Orchestrator/Operator",
            [
                "WireJSON", "Contracts", "Connections", "RabbitMQ", "Postgres", "Redis", "Curl", "FleetRuntime",
                "FleetStorage", "FleetInspection", "Hosting", "Reservation", "Payment", "Notification", "Expiry",
                "Recommendation", "Audit", "Catalogue", "Operations", "Verification", "OrchestratorService", arguments,
                configuration, crypto, logging,
            ]),

        module("Chance", at: "Tests/Chance", []),
        module(
            "TestKit", at: "Tests/TestKit",
            ["Contracts", "Connections", "Postgres", "Curl", "FleetStorage", "Hosting", logging, nio, nioPosix]),
        module(
            "Simulation", at: "Tests/Simulation/Library",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", "FleetRuntime",
                "FleetStorage", "Reservation", "Payment", "Notification", "Expiry", "Recommendation", "SagaCore",
                "Engine", "Catalogue", "Purchases", "Operations", "OrchestratorService", "Chance", collections,
                lifecycle, logging,
            ]),
        program("sim", at: "Tests/Simulation/Program", ["SagaCore", "Engine", "Simulation", arguments]),
        tests(
            "Conformance",
            [
                "WireJSON", "Contracts", "Topology", "RabbitMQ", "Postgres", "Redis", "FleetRuntime", "FleetStorage",
                "Reservation", "Payment", "Notification", "Expiry", "Recommendation", "SagaCore", "Engine", "Catalogue",
                "Purchases", "Operations", "OrchestratorService", "TestKit", "Simulation", logging,
            ]),
        tests(
            "SimulationTests",
            [
                "Contracts", "Connections", "RabbitMQ", "Postgres", "FleetRuntime", "FleetStorage", "Payment",
                "SagaCore", "Engine", "Catalogue", "OrchestratorService", "Simulation", logging,
            ]),
        tests("RabbitMQTests", ["RabbitMQ", "Chance", "TestKit", logging]),
        tests("PostgresTests", ["Connections", "Postgres", logging]),
        tests("RedisTests", ["Connections", "Redis", "TestKit", logging]),
        tests("CurlTests", ["Curl", nio, nioPosix]),
        tests(
            "ContractsTests",
            ["WireJSON", "Contracts", "ContractDocuments", "Connections", "FleetRuntime", "Chance", "TestKit"]),
        tests("TopologyTests", ["Contracts", "Topology", "ContractDocuments"]),
        tests("SagaCoreTests", ["WireJSON", "Contracts", "SagaCore"]),
        tests(
            "OrchestratorServiceTests",
            [
                "WireJSON", "Contracts", "ContractDocuments", "Connections", "RabbitMQ", "FleetRuntime",
                "FleetInspection", "SagaCore", "Engine", "Catalogue", "Purchases", "Operations", "WebKit", "WebAPI",
                "OrchestratorService", "TestKit", crypto, httpTypes, hummingbird, lifecycle, logging, nioEmbedded,
                nioFoundation,
            ]),
        tests(
            "OperatorTests",
            [
                "WireJSON", "Contracts", "RabbitMQ", "FleetRuntime", "FleetInspection", "Hosting", "Operations",
                "OrchestratorService", "turnstile", "TestKit", arguments,
            ]),
        tests(
            "FleetRuntimeTests",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", "Curl",
                "FleetRuntime", "FleetStorage", "FleetInspection", "Hosting", "TestKit", configuration, httpParts,
                httpTypes, lifecycle, logging, metrics, nio, nioEmbedded, nioFoundationCompat,
            ]),
        tests(
            "ReservationTests",
            [
                "WireJSON", "Contracts", "Connections", "Postgres", "Redis", "FleetRuntime", "FleetStorage",
                "Reservation", "Chance", "TestKit", logging,
            ]),
        tests(
            "PaymentTests",
            [
                "Contracts", "Connections", "RabbitMQ", "Postgres", "FleetRuntime", "FleetStorage", "Payment", "Chance",
                "TestKit", logging,
            ]),
        tests(
            "NotificationTests", ["Contracts", "Postgres", "FleetRuntime", "FleetStorage", "Notification", "TestKit"]),
        tests(
            "ExpiryTests",
            [
                "WireJSON", "Contracts", "RabbitMQ", "Postgres", "FleetRuntime", "FleetStorage", "Expiry", "TestKit",
                logging,
            ]),
        tests(
            "RecommendationTests",
            ["Contracts", "Postgres", "FleetRuntime", "FleetStorage", "Recommendation", "TestKit"]),
        tests(
            "Integration",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", "Curl",
                "FleetRuntime", "FleetStorage", "FleetInspection", "Hosting", "Reservation", "Payment", "Notification",
                "Expiry", "Recommendation", "SagaCore", "Audit", "Catalogue", "Operations", "Verification",
                "OrchestratorService", "TestKit", configuration, lifecycle, logging, metrics,
            ]),
        program(
            "faults", at: "Tests/Faults",
            [
                "WireJSON", "Contracts", "Connections", "RabbitMQ", "Postgres", "Curl", "FleetRuntime", "Hosting",
                "Engine", "Verification", "OrchestratorService", "TestKit", logging,
            ]),
        program(
            "bench", at: "Tests/Load/Bench",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis", "Curl", "TestKit",
                arguments, logging, nio, nioFoundationCompat, nioHTTP1, nioPosix,
            ]),
        program(
            "micro", at: "Tests/Load/Micro",
            [
                "WireJSON", "Contracts", "Topology", "Connections", "RabbitMQ", "FleetRuntime", "Hosting", "SagaCore",
                "Simulation", logging,
            ]),
    ]
)
