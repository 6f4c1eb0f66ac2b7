import ArgumentParser
import Foundation
import Hosting
import Logging
import OrchestratorService
import Verification

/// Checks that nothing is lost, sold twice or charged twice.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the fleet's promises on a live database; exit status 1 if one is broken.",
        discussion: """
            Changes nothing, and can run at any time. What is under way is no violation; --settled asks also that \
            everything has come to its end, which is so some time after the last purchase.
            """)

    @Flag(help: "Also demand that every saga has ended and nothing waits.")
    var settled = false

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() async throws {
        let logger = Logger(label: "turnstile")
        let settings = try Settings.fromEnvironment()
        let verifier = Verifier(
            databaseURL: settings.databaseURL, comparesProvider: settings.paymentProvider == .simulated,
            options: Verifier.Options(settled: settled), logger: logger)
        let report = try await verifier.run()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Terminal.show(json: try encoder.encode(report))
        } else {
            for line in report.lines { Terminal.show(line) }
        }
        guard report.isSound else { throw ExitCode(1) }
    }
}
