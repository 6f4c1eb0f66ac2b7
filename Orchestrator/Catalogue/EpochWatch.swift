import FleetRuntime
import Logging
import Synchronization

/// Notices that another database stands in the place of the one that was read before, and has everything forgotten that
/// was remembered of it: a restored backup, a promoted standby, a new cluster.
package final class EpochWatch: PeriodicJob {
    package let name = "database epoch"
    private let stock: any StockView
    private let forget: @Sendable (StockEpoch) async -> Void
    private let logger: Logger
    private let known = Mutex<StockEpoch?>(nil)

    /// - Parameter forget: called for the first epoch, and for each that takes its place.
    package init(_ stock: any StockView, logger: Logger, forget: @escaping @Sendable (StockEpoch) async -> Void) {
        self.stock = stock
        self.logger = logger
        self.forget = forget
    }

    package func runOnce() async throws -> Int {
        let epoch = try await stock.epoch()
        let old = known.withLock { known in
            defer { known = epoch }
            return known
        }
        guard old != epoch else { return 0 }
        if let old {
            logger.notice(
                "the database is another one, or was restarted; what was remembered of it is forgotten",
                metadata: ["before": "\(old.whole)", "now": "\(epoch.whole)"])
        }
        await forget(epoch)
        return 0
    }
}
