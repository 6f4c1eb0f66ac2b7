import Contracts
import Foundation
import RabbitMQ

/// As many purchases as there are, over AMQP, as fast as the fleet takes them.
struct Saturate {
    private let target: Target
    private let sagas: Int
    private let events: Int

    init(_ target: Target, sagas: Int, events: Int) {
        self.target = target
        self.sagas = sagas
        self.events = events
    }

    func run() async throws {
        print("saturate: \(sagas) purchases on \(events) events")
        let ids = try await target.publishEvents(events)
        let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let publications = try (0..<sagas).map {
            try target.start(ids[$0 % ids.count], buyer: "bench-\(run)-\($0)", number: $0)
        }
        let publisher = try await target.publisher()
        let first = SagaID.make()
        let started = ContinuousClock.now
        for first in stride(from: 0, to: sagas, by: 500) {
            let refusals = try await publisher.publish(Array(publications[first..<min(first + 500, sagas)]))
            guard refusals.isEmpty else { throw Refused(count: refusals.count) }
        }
        let published = ContinuousClock.now - started
        var done = 0
        while done < sagas {
            try await Task.sleep(for: .milliseconds(400))
            done = try await finished(since: first)
            guard ContinuousClock.now - started < .seconds(600) else { throw TooSlow(done: done) }
        }
        let seconds = (ContinuousClock.now - started).inSeconds
        await publisher.close()
        print(
            "saturate: \(Int(Double(sagas) / seconds)) sagas/s  sagas=\(sagas) events=\(events) "
                + "seconds=\(format(seconds)) published in \(format(published.inSeconds))")
    }

    /// Sagas of this run with nothing left to happen: completed, and their buyers told.
    ///
    /// Ids are in the order of time, so looking costs the fleet only this run's part of an index.
    private func finished(since first: SagaID) async throws -> Int {
        let rows = try await target.database.query(
            """
            SELECT count(*) FROM orchestrator.saga WHERE id >= $1 AND outcome = 'completed' AND wake_at IS NULL
            """, [first.uuid], as: Int64.self)
        return rows.first.map { Int($0) } ?? 0
    }

    struct Refused: Error { let count: Int }
    struct TooSlow: Error { let done: Int }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

func format(_ number: Double) -> String { String(format: "%.1f", number) }
