import Contracts
import FleetRuntime
import FoundationEssentials
import Notification
import Postgres

/// The schema `notification` in memory.
package struct NotificationTables: HasInbox {
    package enum Status: Sendable, Equatable {
        case pending, delivered
        case failed(reason: String)
    }

    package struct Row: Sendable {
        package var channel: String
        package var status = Status.pending
        package var attempts = 1
        package var claimedBy: UUID?
        package var claimedUntil: Date?
    }

    package var letters: [LetterKey: Row] = [:]
    package var attempts: Set<String> = []
    package var inbox: [MessageID: [OutgoingMessage]] = [:]

    package init() {}
}

/// Letters and attempts in memory.
package struct MemoryNotificationStore: NotificationStore {
    package typealias Transaction = MemoryTransaction<NotificationTables>

    package init() {}

    package func begin(
        _ letters: [RenderedMessage], through channel: String, by desk: UUID, for lease: Duration,
        in transaction: Transaction
    ) async throws -> [LetterKey: Standing] {
        guard !letters.isEmpty else { return [:] }
        let now = transaction.now
        let until = now.addingTimeInterval(lease.seconds)
        let keys = letters.map(\.key).sorted { $0.text < $1.text }
        return try await transaction.write(locking: keys.map(\.row)) { tables in
            var standings: [LetterKey: Standing] = [:]
            for key in keys {
                standings[key] = tables.begin(key, channel, desk, until, now)
            }
            return standings
        }
    }

    package func conclude(
        _ reports: [AttemptReport], through channel: String, in transaction: Transaction
    ) async throws {
        guard !reports.isEmpty else { return }
        let reports = reports.sorted { $0.key.text < $1.key.text }
        try await transaction.write(locking: reports.map(\.key.row)) { tables in
            for report in reports { try tables.conclude(report) }
        }
    }
}

extension NotificationTables {
    fileprivate mutating func begin(
        _ key: LetterKey, _ channel: String, _ desk: UUID, _ until: Date, _ now: Date
    ) -> Standing {
        guard var row = letters[key] else {
            letters[key] = Row(channel: channel, claimedBy: desk, claimedUntil: until)
            return .ours(attempt: 1)
        }
        switch row.status {
        case .delivered: return .delivered(channel: row.channel)
        case .failed(let reason): return .failed(reason: reason)
        case .pending: break
        }
        if let claimedUntil = row.claimedUntil, claimedUntil > now, row.claimedBy != desk {
            return .elsewhere(.milliseconds(Int(claimedUntil.timeIntervalSince(now) * 1_000)))
        }
        row.attempts += 1
        row.channel = channel
        row.claimedBy = desk
        row.claimedUntil = until
        letters[key] = row
        return .ours(attempt: row.attempts)
    }

    fileprivate mutating func conclude(_ report: AttemptReport) throws {
        guard attempts.insert("\(report.key.text) \(report.number)").inserted else {
            throw MemoryDatabase<Self>.failure(.uniqueViolation, "attempt", constraint: "attempt_pkey")
        }
        guard letters[report.key]?.status == .pending else { return }
        switch report.result {
        case .delivered: letters[report.key]?.status = .delivered
        case .refused(let reason): letters[report.key]?.status = .failed(reason: reason)
        case .failed: break
        }
        letters[report.key]?.claimedBy = nil
        letters[report.key]?.claimedUntil = nil
    }
}

extension LetterKey {
    fileprivate var text: String { "\(sagaID) \(template.rawValue)" }
    fileprivate var row: RowKey { .text(.letter, text) }
}
