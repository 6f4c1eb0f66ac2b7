import Contracts
import Expiry
import FoundationEssentials
import Postgres

/// The schema `expiry` in memory.
package struct ExpiryTables: HasInbox {
    package enum Status: Sendable { case scheduled, cancelled, fired }

    package struct Row: Sendable {
        /// Nil for a cancel that came before its schedule.
        package let timer: FleetTimer?
        package var status: Status
        package var claimedUntil: Date?
        package var endedAt: Date?
    }

    package var timers: [TimerKey: Row] = [:]
    package var inbox: [MessageID: [OutgoingMessage]] = [:]

    package init() {}

    mutating func end(_ key: TimerKey, as status: Status, at now: Date) {
        guard timers[key]?.status == .scheduled else { return }
        timers[key]?.status = status
        timers[key]?.endedAt = now
    }
}

/// Timers in memory, by the clock of their database.
package struct MemoryTimers: TimerStore, TimerClock {
    package typealias Transaction = MemoryTransaction<ExpiryTables>

    let session: MemorySession<ExpiryTables>

    /// The session serves the clock alone; what a batch notes goes through the batch's transaction.
    package init(_ session: MemorySession<ExpiryTables>) {
        self.session = session
    }

    package func note(wanted: [FleetTimer], unwanted: [TimerKey], in transaction: Transaction) async throws {
        let now = transaction.now
        let keys = Set(wanted.map(\.key) + unwanted).sorted { $0.text < $1.text }
        try await transaction.write(locking: keys.map(\.row)) { tables in
            for timer in wanted where tables.timers[timer.key] == nil {
                tables.timers[timer.key] = .init(timer: timer, status: .scheduled)
            }
            for key in unwanted {
                if tables.timers[key] == nil {
                    tables.timers[key] = .init(timer: nil, status: .cancelled, endedAt: now)
                } else {
                    tables.end(key, as: .cancelled, at: now)
                }
            }
        }
    }

    package func claimDue(_ limit: Int, for lease: Duration) async throws -> [FleetTimer] {
        try await session.transact { transaction in
            let now = transaction.now
            let due = try await transaction.claim(
                { tables in
                    tables.timers.values.filter { $0.isDue(at: now) }.compactMap(\.timer)
                        .sorted { ($0.dueAt, $0.key.text) < ($1.dueAt, $1.key.text) }
                }, key: \.key.row, limit: limit)
            guard !due.isEmpty else { return [] }
            try await transaction.write(locking: due.map(\.key.row)) { tables in
                for timer in due { tables.timers[timer.key]?.claimedUntil = now.addingTimeInterval(lease.seconds) }
            }
            return due
        }
    }

    package func markFired(_ keys: [TimerKey]) async throws {
        try await session.transact { transaction in
            let now = transaction.now
            try await transaction.write(locking: keys.map(\.row)) { tables in
                for key in keys { tables.end(key, as: .fired, at: now) }
            }
        }
    }

    package func forgetEnded(_ limit: Int, after retention: Duration) async throws -> Int {
        try await session.transact { transaction in
            let horizon = transaction.now.addingTimeInterval(-retention.seconds)
            let old = try await transaction.claim(
                { tables in
                    tables.timers.filter { $0.value.endedAt.map { $0 < horizon } ?? false }.map(\.key)
                        .sorted { $0.text < $1.text }
                }, key: \.row, limit: limit)
            try await transaction.write(locking: old.map(\.row)) { tables in
                for key in old { tables.timers[key] = nil }
            }
            return old.count
        }
    }
}

extension ExpiryTables.Row {
    fileprivate func isDue(at now: Date) -> Bool {
        guard status == .scheduled, let timer else { return false }
        return timer.dueAt <= now && (claimedUntil.map { $0 <= now } ?? true)
    }
}

extension TimerKey {
    fileprivate var text: String { "\(sagaID) \(subject)" }
    fileprivate var row: RowKey { .text(.timer, text) }
}
