// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let configuration: Target.Dependency = .product(name: "Configuration", package: "swift-configuration")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
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

func program(_ name: String, at path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

let workers: [Target.Dependency] = ["Reservation", "Payment", "Notification", "Expiry", "Recommendation"]

let package = Package(
    name: "turnstile",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLinux", path: "Workers/Clients/CLinux"),
        .systemLibrary(name: "CRabbitMQ", path: "Workers/Clients/CRabbitMQ"),
        .systemLibrary(name: "CPostgres", path: "Workers/Clients/CPostgres"),
        .systemLibrary(name: "CHiredis", path: "Workers/Clients/CHiredis"),
        .systemLibrary(
            name: "CCurl", path: "Workers/Clients/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        module("Connections", at: "Workers/Clients/Connections", ["CLinux", collections]),
        module("RabbitMQ", at: "Workers/Clients/RabbitMQ", ["CRabbitMQ", "Connections", logging, collections]),
        module("Postgres", at: "Workers/Clients/Postgres", ["CPostgres", "Connections", logging, collections]),
        module("Redis", at: "Workers/Clients/Redis", ["CHiredis", "Connections", logging]),
        module("Curl", at: "Workers/Clients/Curl", ["CCurl", "Connections", collections]),

        module("Contracts", at: "Contracts/Messages", [crypto]),
        module("Topology", at: "Contracts/Topology", ["Contracts"]),
        .target(
            name: "ContractDocuments", dependencies: [yams], path: "Contracts",
            exclude: ["Messages", "Topology", "Golden", "UPSTREAM.md"], sources: ["Documents"],
            resources: [.embedInCode("openapi.yaml"), .embedInCode("asyncapi.yaml"), .embedInCode("shapes.yaml")],
            swiftSettings: strict),

        module(
            "FleetRuntime", at: "Workers/Runtime",
            [
                "Contracts", "Topology", "Connections", "RabbitMQ", "Postgres", "Redis",
                logging, lifecycle, metrics, configuration, hummingbird, hummingbirdCore, httpClient, nio,
                nioPosix, nioFoundation, httpParts,
            ]),
        module("Reservation", at: "Workers/Reservation", ["FleetRuntime"], embedding: ["Migrations"]),
        module("Payment", at: "Workers/Payment", ["FleetRuntime"], embedding: ["Migrations"]),
        module("Notification", at: "Workers/Notification", ["FleetRuntime"], embedding: ["Migrations"]),
        module("Expiry", at: "Workers/Expiry", ["FleetRuntime"], embedding: ["Migrations"]),
        module("Recommendation", at: "Workers/Recommendation", ["FleetRuntime"], embedding: ["Migrations"]),
        program("worker", at: "Workers/Main", workers + ["FleetRuntime"]),

        module("SagaCore", at: "Orchestrator/Saga", ["Contracts"]),
        module(
            "OrchestratorService", at: "Orchestrator/Service",
            [
                "SagaCore", "ContractDocuments", "FleetRuntime", hummingbird, httpTypes, httpParts, nio, nioFoundation,
                crypto,
                metrics, lifecycle, logging, collections,
            ],
            embedding: ["Migrations", "HTTP/Documents/docs.css"]),
        program("orchestrator", at: "Orchestrator/Main", ["OrchestratorService", "FleetRuntime"]),
        program(
            "turnstile", at: "Orchestrator/Operator",
            workers + [
                "OrchestratorService", "FleetRuntime", configuration, arguments, httpClient, nioFoundation, crypto,
            ]),

        module("Chance", at: "Tests/Chance", []),
        module(
            "TestKit", at: "Tests/TestKit",
            ["FleetRuntime", "Connections", logging, configuration, httpClient, nio, nioPosix, nioFoundationCompat]),
        module(
            "Simulation", at: "Tests/Simulation/Library",
            workers + [
                "OrchestratorService", "SagaCore", "FleetRuntime", "Contracts", "Topology", "Connections", "RabbitMQ",
                "Postgres", "Redis", "Chance", logging, lifecycle, collections,
            ]),
        program("sim", at: "Tests/Simulation/Program", ["Simulation", "SagaCore", arguments]),
        tests(
            "Conformance",
            workers + [
                "Simulation", "OrchestratorService", "SagaCore", "FleetRuntime", "Contracts", "Topology", "RabbitMQ",
                "Postgres", "Redis", "TestKit", logging,
            ]),
        tests(
            "SimulationTests",
            [
                "Simulation", "OrchestratorService", "SagaCore", "FleetRuntime", "Payment", "Postgres", "RabbitMQ",
                "Connections", "Contracts", logging,
            ]),
        tests("RabbitMQTests", ["RabbitMQ", "Chance", "TestKit"]),
        tests("PostgresTests", ["Postgres"]),
        tests("RedisTests", ["Redis", "TestKit"]),
        tests("CurlTests", ["Curl", nio, nioPosix]),
        tests("ContractsTests", ["Contracts", "ContractDocuments", "Chance", "TestKit"]),
        tests("TopologyTests", ["Topology", "ContractDocuments"]),
        tests("SagaCoreTests", ["SagaCore"]),
        tests(
            "OrchestratorServiceTests",
            ["OrchestratorService", "ContractDocuments", "TestKit", hummingbird, hummingbirdTesting, httpTypes, crypto]),
        tests(
            "OperatorTests", ["turnstile", "OrchestratorService", "FleetRuntime", "Contracts", "TestKit", arguments]),
        tests(
            "FleetRuntimeTests",
            [
                "FleetRuntime", "Connections", "TestKit", configuration, lifecycle, logging, metrics, nio, nioEmbedded,
                httpParts, httpTypes,
            ]),
        tests("ReservationTests", ["Reservation", "TestKit", "Chance"]),
        tests("PaymentTests", ["Payment", "TestKit", "Chance"]),
        tests("NotificationTests", ["Notification", "TestKit"]),
        tests("ExpiryTests", ["Expiry", "TestKit"]),
        tests("RecommendationTests", ["Recommendation", "TestKit"]),
        tests(
            "Integration",
            workers + [
                "OrchestratorService", "TestKit", "FleetRuntime", httpClient, nio, nioFoundationCompat, configuration,
                metrics,
            ]),
        program(
            "faults", at: "Tests/Faults",
            workers + [
                "OrchestratorService", "SagaCore", "FleetRuntime", "TestKit", httpClient, nio, nioPosix,
                nioFoundationCompat, configuration, logging,
            ]),
        program(
            "bench", at: "Tests/Load/Bench",
            [
                "FleetRuntime", "TestKit", arguments, httpClient, nio, nioPosix, nioHTTP1, nioFoundationCompat, logging,
            ]),
        program(
            "micro", at: "Tests/Load/Micro",
            ["Simulation", "Connections", "FleetRuntime", "SagaCore", "Contracts", "Topology", "RabbitMQ", logging]),
    ]
)
