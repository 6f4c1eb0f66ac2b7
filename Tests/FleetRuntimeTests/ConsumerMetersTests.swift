import CoreMetrics
import FleetRuntime
import Foundation
import Synchronization
import Testing

/// What measuring costs a lane, and what it tells.
@Suite(.timeLimit(.minutes(1)))
struct `The meters of a lane` {
    @Test func `are touched a few times for a batch, however many messages it has`() async throws {
        var touches: [Int] = []
        for size in [1, 500] {
            let counting = CountingFactory()
            try await withMetricsFactory(counting) {
                _ = try await LaneRun.run([(1...UInt64(size)).map { delivery($0) }], outlet: ScriptedOutlet()) {
                    try $0.map(LaneRun.reply)
                }
            }
            touches.append(counting.touches)
        }
        #expect(touches[0] == touches[1])
        #expect(touches[0] <= 8)
    }

    @Test func `tell what became of the messages of a batch`() async throws {
        let registry = PrometheusRegistry()
        let batch = [delivery(1), delivery(2, kind: "nonsense"), delivery(3, attempt: 5), delivery(4), delivery(5)]
        try await withMetricsFactory(registry) {
            _ = try await LaneRun.run([batch], outlet: ScriptedOutlet()) { envelopes in
                try envelopes.enumerated().map { index, envelope in
                    index == 0
                        ? .retry(after: .seconds(1), reason: "later")
                        : index == 1
                            ? .retry(after: .seconds(1), reason: "too late") : try LaneRun.reply(to: envelope)
                }
            }
        }
        let text = await registry.scrape()
        for (outcome, count) in [("handled", 2), ("retried", 1), ("buried", 2)] {
            let line = "turnstile_messages_consumed_total{queue=\"test\",outcome=\"\(outcome)\"} \(count)\n"
            #expect(text.contains(line), "\(outcome)")
        }
        #expect(text.contains("turnstile_batch_messages_sum{queue=\"test\"} 5\n"))
        #expect(text.contains("turnstile_batch_duration_seconds_count{queue=\"test\"} 1\n"))
        #expect(text.contains("turnstile_messages_published_total 5\n"))
    }
}

/// Counts how often anything is measured.
private final class CountingFactory: MetricsFactory, CounterHandler, RecorderHandler, TimerHandler {
    private let count = Atomic<Int>(0)

    var touches: Int { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.add(1, ordering: .relaxed) }
    func reset() {}
    func record(_ value: Int64) { count.add(1, ordering: .relaxed) }
    func record(_ value: Double) { count.add(1, ordering: .relaxed) }
    func recordNanoseconds(_ duration: Int64) { count.add(1, ordering: .relaxed) }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { self }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { self }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { self }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}
