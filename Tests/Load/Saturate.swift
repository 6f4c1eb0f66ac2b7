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
        while try await !isFinished(since: first) {
            try await Task.sleep(for: .milliseconds(200))
            guard ContinuousClock.now - started < .seconds(600) else { throw TooSlow() }
        }
        let seconds = (ContinuousClock.now - started).inSeconds
        await publisher.close()
        print(
            "saturate: \(Int(Double(sagas) / seconds)) sagas/s  sagas=\(sagas) events=\(events) "
                + "seconds=\(format(seconds)) published in \(format(published.inSeconds))")
    }

    /// Whether every saga of this run is completed and its buyer told.
    ///
    /// While one is not, an index finds it at once; so looking costs the fleet nothing worth counting.
    private func isFinished(since first: SagaID) async throws -> Bool {
        let open = try await target.database.query(
            "SELECT id FROM orchestrator.saga WHERE wake_at IS NOT NULL AND id >= $1 ORDER BY wake_at DESC LIMIT 1",
            [first.uuid], as: UUID.self)
        guard open.isEmpty else { return false }
        let completed = try await target.database.query(
            "SELECT count(*) FROM orchestrator.saga WHERE id >= $1 AND outcome = 'completed'", [first.uuid],
            as: Int64.self)
        return completed.first == Int64(sagas)
    }

    struct Refused: Error { let count: Int }
    struct TooSlow: Error {}
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

func format(_ number: Double) -> String { String(format: "%.1f", number) }
