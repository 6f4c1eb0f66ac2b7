import Connections
import Contracts
import FleetStorage
import FoundationEssentials
import Logging
import Postgres

/// Checks the fleet's promises on a live database, reading only what each schema publishes.
///
/// Inside a schema one statement sees one moment. Across schemas the moments differ, so whatever looks wrong there is
/// looked at again before it is reported, and only a saga that stands still meanwhile is judged.
package struct Verifier: Sendable {
    package struct Options: Sendable {
        /// Whether everything must have come to its end: what is asked of a fleet that was left alone for a while.
        package var settled = false
        /// How late anything may be before somebody should have seen to it.
        package var grace = Duration.seconds(60)
        /// The sagas looked at together.
        package var page = 20_000
        /// How often a suspicion is looked at again, and the first pause before that; each next is twice as long.
        package var looks = 4
        package var pause = Duration.milliseconds(250)

        package init(settled: Bool = false) {
            self.settled = settled
        }
    }

    let options: Options
    private let databaseURL: String
    private let comparesProvider: Bool
    private let logger: Logger

    /// - Parameter comparesProvider: whether the payment provider's own charges are in the database, to be compared.
    package init(databaseURL: String, comparesProvider: Bool, options: Options = Options(), logger: Logger) {
        self.options = options
        self.databaseURL = databaseURL
        self.comparesProvider = comparesProvider
        self.logger = logger
    }

    package func run() async throws -> VerificationReport {
        let began = ContinuousClock.now
        async let journal = connection().lent { [options] in try await JournalCheck($0, options: options).run() }
        async let stock = connection().lent { try await StockCheck($0).run() }
        async let money = connection().lent { [options, comparesProvider] in
            try await MoneyCheck($0, comparesProvider: comparesProvider, options: options).run()
        }
        async let rest = connection().lent { [options] in try await LoneRowsCheck($0, options: options).run() }
        async let catalogue = connection().lent { try await CatalogueCheck($0).run() }
        let fates = try await fates()
        let (replayed, lines) = try await journal
        let violations = try await replayed + stock + money + rest + catalogue + fates.violations
        return VerificationReport(
            violations, settled: options.settled, sagas: fates.sagas, journalLines: lines,
            took: ContinuousClock.now - began)
    }

    private func fates() async throws -> (violations: [Violation], sagas: Int) {
        let connections = (0..<ReconciliationReader.connections).map { _ in connection() }
        let check = ReconciliationCheck(ReconciliationReader(connections), options: options)
        do {
            let result = try await check.run()
            for connection in connections { await connection.close() }
            return result
        } catch {
            for connection in connections { await connection.close() }
            throw error
        }
    }

    /// It acts as the orchestrator, so that it sees what the owners publish and can change nothing of theirs.
    private func connection() -> PostgresConnection {
        var configuration = PostgresConfiguration(
            url: databaseURL, applicationName: "turnstile verify", role: FleetRole.orchestrator.databaseRole,
            searchPath: FleetRole.orchestrator.rawValue)
        configuration.statementTimeout = .seconds(300)
        configuration.queryDeadline = .seconds(310)
        // Every statement is about many rows; a range that is thought to be empty must not make a loop of loops.
        configuration.parameters = [
            ("default_transaction_read_only", "on"), ("work_mem", "128MB"), ("enable_nestloop", "off"),
        ]
        return PostgresConnection(configuration, logger: logger)
    }
}
