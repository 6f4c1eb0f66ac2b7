import ArgumentParser
import FleetRuntime
import Hosting
import Logging
import Operations
import OrchestratorService
import RabbitMQ

/// What the broker must hold for the fleet.
struct Topology: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Declare or check the exchanges, queues and bindings of the fleet.",
        subcommands: [Apply.self, Check.self])

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Declare everything that is missing; what differs is refused by the broker and named.")

        func run() async throws {
            try await Topology.keeper().apply()
            print("topology: declared")
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Name what is missing or not as declared, and what to do; exit status 1 if anything is.",
            aliases: ["diff"])

        func run() async throws {
            let flaws = try await Topology.keeper().flaws()
            for flaw in flaws { Terminal.show("\(flaw.line); \(FleetFault(flaw).advice)") }
            guard flaws.isEmpty else { throw ExitCode(1) }
            print(
                "topology: every exchange and queue is as declared; bindings cannot be asked for, apply puts them right"
            )
        }
    }

    private static func keeper() throws -> TopologyDeclarer {
        let settings = try Settings.fromEnvironment()
        return TopologyDeclarer(
            try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile topology"),
            logger: Logger(label: "turnstile"))
    }
}
