import ArgumentParser
import Connections
import FleetRuntime

/// The operators' command line.
@main
struct Turnstile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turnstile",
        abstract: "Prepares and inspects the Turnstile fleet.",
        discussion: """
            Addresses come from the environment: DATABASE_URL (with the owner's rights, for migrate), AMQP_URL. \
            `source .run/env` sets them for the fleet that compose/dev started.
            """,
        subcommands: [Migrate.self, Topology.self, Verify.self])

    static func main() async {
        ignoreBrokenPipes()
        await main(nil)
    }
}
