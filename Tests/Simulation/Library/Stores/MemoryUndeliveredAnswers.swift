import Contracts
import FleetRuntime
import FoundationEssentials
import Operations
import OrchestratorService
import RabbitMQ
import SagaCore

/// The answers that nobody has taken yet, in memory.
package struct MemoryUndeliveredAnswers<Definition: PurchaseDefinition>: UndeliveredAnswers {
    private let session: MemorySession<OrchestratorTables<Definition>>
    /// Whether nothing is kept, for proving that this would be noticed.
    private let isForgetful: Bool

    package init(_ session: MemorySession<OrchestratorTables<Definition>>, isForgetful: Bool = false) {
        self.session = session
        self.isForgetful = isForgetful
    }

    package func keep(_ messages: [UndeliveredMessage]) async throws -> Int {
        guard !isForgetful else { return 0 }
        return try await session.transact { transaction in
            let now = transaction.now
            let answers = messages.compactMap { message -> DueAnswer? in
                guard let id = message.publication.properties.messageID.flatMap({ MessageID(wire: $0) }) else {
                    return nil
                }
                return DueAnswer(message: id, publication: message.publication)
            }
            let reasons = messages.map(\.reason)
            return try await transaction.write(locking: answers.map(\.row).sortedByName) { tables in
                var lost = 0
                let held = Dictionary(grouping: tables.undelivered.values, by: \.answer.queue).mapValues(\.count)
                for (answer, reason) in zip(answers, reasons) {
                    guard held[answer.queue, default: 0] < UndeliveredLimits.perQueue else {
                        lost += 1
                        continue
                    }
                    guard tables.undelivered[answer.name] == nil else { continue }
                    tables.undelivered[answer.name] = .init(
                        answer: answer, since: now, reason: reason, dueAt: now.addingTimeInterval(1))
                }
                return lost
            }
        }
    }

    package func claim() async throws -> [DueAnswer] {
        try await session.transact { transaction in
            let now = transaction.now
            let due = try await transaction.claim(
                { tables in
                    tables.undelivered.values.filter { $0.dueAt.map { $0 <= now } ?? false }
                        .sorted { ($0.since, $0.answer.name) < ($1.since, $1.answer.name) }.map(\.answer)
                }, key: \.row, limit: UndeliveredLimits.answersAtOnce)
            guard !due.isEmpty else { return [] }
            try await transaction.write(locking: due.map(\.row)) { tables in
                for answer in due {
                    tables.undelivered[answer.name]?.dueAt = now.addingTimeInterval(UndeliveredLimits.lease.seconds)
                }
            }
            return due
        }
    }

    package func settle(delivered: [DueAnswer], undelivered: [String: NonDelivery]) async throws {
        try await session.transact { transaction in
            let now = transaction.now
            let rows = try await transaction.read { tables in
                tables.undelivered.values.map(\.answer).filter { undelivered[$0.queue] != nil }.map(\.row)
            }
            try await transaction.write(locking: (Set(rows).union(delivered.map(\.row)).map { $0 }).sortedByName) {
                tables in
                for answer in delivered { tables.undelivered[answer.name] = nil }
                for (name, row) in tables.undelivered where row.dueAt != nil {
                    guard let reason = undelivered[row.answer.queue] else { continue }
                    let age = now.timeIntervalSince(row.since)
                    tables.undelivered[name]?.reason = reason
                    tables.undelivered[name]?.dueAt =
                        age >= UndeliveredLimits.patience.seconds
                        ? nil
                        : now.addingTimeInterval(
                            min(
                                max(age, UndeliveredLimits.shortestPause.seconds),
                                UndeliveredLimits.longestPause.seconds))
                }
            }
        }
    }
}

extension DueAnswer {
    fileprivate var name: String { "\(queue) \(message)" }
    fileprivate var row: RowKey { .text(.undelivered, name) }
}

extension [RowKey] {
    /// Always the same order, for those who lock several.
    fileprivate var sortedByName: [RowKey] { sorted { "\($0)" < "\($1)" } }
}
