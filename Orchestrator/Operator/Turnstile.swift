import ArgumentParser
import Connections
import Hosting

/// The operators' command line.
@main
struct Turnstile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "turnstile",
        abstract: "Shows and mends the Turnstile fleet.",
        discussion: """
            Most commands ask the orchestrator over HTTP: TURNSTILE_URL, and OPERATOR_KEY to be let in. migrate, \
            topology, verify and doctor go to the servers: DATABASE_URL (with the owner's rights, for migrate), \
            AMQP_URL. `source .run/env` sets all of them for the fleet that compose/dev started; in its checkout the \
            first two, and what doctor needs, are found without, if .run and .run/env belong to you and nobody else \
            can write them.

            Exit status: 0 when all is well, 1 when something is wrong or was refused, 64 for a command that does not \
            exist.

            Why is a purchase stuck? turnstile status, then turnstile sagas explain ID.
            Completions: turnstile --generate-completion-script bash (or zsh, fish).
            """,
        version: "turnstile \(Release.version)",
        subcommands: [
            Status.self, Fleet.self, Queues.self, Sagas.self, Dead.self, Undelivered.self, Events.self, Timers.self,
            Verify.self,
            Topology.self,
            Migrate.self, Doctor.self,
        ])

    static func main() async {
        ignoreBrokenPipes()
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            fail(error)
        }
        leave()
    }

    /// Says what is wrong, or what was asked for by `--help`, as `exit(withError:)` does.
    private static func fail(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code.isSuccess else {
            StartupFailure.exit(status: code.rawValue, lines: message.isEmpty ? [] : [message])
        }
        if !message.isEmpty { print(message) }
        leave()
    }
}
