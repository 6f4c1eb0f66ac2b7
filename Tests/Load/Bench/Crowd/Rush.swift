import Contracts
import Foundation
import Postgres
import RabbitMQ
import TestKit

/// Purchases published as fast as the broker takes them, and the wait until the fleet has carried out every one.
struct Rush: Sendable {
    let target: Target
    let publications: [Publication]
    private let first = SagaID.make()

    init(_ target: Target, _ wishes: some Sequence<Wish>) throws {
        self.target = target
        publications = try wishes.map { try $0.publication() }
    }

    /// - Returns: how long the broker took to confirm all of them.
    func publish() async throws -> Duration {
        let publisher = try await target.publisher()
        let began = ContinuousClock.now
        for first in stride(from: 0, to: publications.count, by: 500) {
            let batch = Array(publications[first..<min(first + 500, publications.count)])
            let refusals = try await publisher.publish(batch)
            guard refusals.isEmpty else { throw Trouble("the broker refused \(refusals.count) starts") }
        }
        await publisher.close()
        return ContinuousClock.now - began
    }

    func untilAllTold(within limit: Duration) async throws {
        try await target.untilTold(publications.count, since: first, within: limit)
    }
}

extension Target {
    /// Waits until so many sagas since one have ended and their buyers are told.
    ///
    /// While one is not, an index finds it at once; so looking costs the fleet nothing worth counting.
    func untilTold(_ count: Int, since first: SagaID, within limit: Duration) async throws {
        try await until(
            "\(count) purchases have ended and their buyers are told", within: limit, every: .milliseconds(100)
        ) {
            let open = try await database.query(
                "SELECT id FROM orchestrator.saga WHERE wake_at IS NOT NULL AND id >= $1 ORDER BY wake_at DESC LIMIT 1",
                [first.uuid], as: UUID.self)
            guard open.isEmpty else { return false }
            return try await ended(since: first) >= count
        }
    }

    func ended(since first: SagaID) async throws -> Int {
        try await count(
            "SELECT count(*) FROM orchestrator.saga WHERE id >= $1 AND outcome IS NOT NULL", [first.uuid])
    }

    /// Complains unless so many sagas since one were completed.
    func demandCompleted(_ count: Int, since first: SagaID) async throws {
        let completed = try await self.count(
            "SELECT count(*) FROM orchestrator.saga WHERE id >= $1 AND outcome = 'completed'", [first.uuid])
        guard completed == count else { throw Trouble("\(completed) of \(count) purchases were completed") }
    }
}
