import Testing

@testable import FleetRuntime

/// When a lane lets messages gather, and for how long.
@Suite struct `The pace of a lane` {
    private let start = ContinuousClock.now

    /// Batches that are taken every `period`, each of them decided in `work`.
    private func pace(
        _ batches: Int, of count: Int, every period: Duration, work: Duration, breath: Duration = .zero
    ) -> AdaptiveBatching {
        (1...batches).reduce(AdaptiveBatching(fullBatch: 500, breath: breath, at: start)) { pace, number in
            let began = start + period * number
            return pace.deciding(count, from: began, to: began + work)
        }
    }

    @Test func `waits for nothing before it knows how fast messages come`() {
        #expect(AdaptiveBatching(fullBatch: 500, breath: .zero, at: start).resumption == nil)
        #expect(pace(9, of: 90, every: .milliseconds(10), work: .milliseconds(1)).resumption == nil)
    }

    @Test func `waits for nothing while few messages come`() {
        #expect(pace(20, of: 1, every: .milliseconds(50), work: .milliseconds(2)).resumption == nil)
    }

    @Test func `rests in proportion to the work while messages are lively`() {
        for work in [2, 5, 20] {
            let pace = pace(20, of: 20, every: .milliseconds(50), work: .milliseconds(work))
            #expect(pace.resumption == start + .seconds(1) + .milliseconds(work) * AdaptiveBatching.rest)
        }
    }

    @Test func `takes one slow batch for an accident, and what lasts for a busy machine`() {
        var pace = pace(20, of: 20, every: .milliseconds(50), work: .milliseconds(5))
        var rests: [Duration] = []
        for number in 1...5 {
            let began = start + .seconds(1) + .milliseconds(100) * number
            pace = pace.deciding(20, from: began, to: began + .milliseconds(100))
            rests.append((pace.resumption ?? began) - began)
        }
        let work = Duration.milliseconds(5)
        #expect(rests.first == work * AdaptiveBatching.growth * AdaptiveBatching.rest)
        #expect(rests == rests.sorted())
        #expect(rests.last == AdaptiveBatching.longest)
    }

    @Test func `takes at least a breath where nobody is in a hurry`() {
        let pace = pace(20, of: 20, every: .milliseconds(50), work: .milliseconds(2), breath: .milliseconds(40))
        #expect(pace.resumption == start + .seconds(1) + .milliseconds(40))
    }

    @Test func `does not rest longer than it takes to fill a batch`() {
        let pace = pace(20, of: 499, every: .milliseconds(50), work: .milliseconds(40))
        #expect(pace.resumption == start + .seconds(1) + .seconds(500.0 / 9_980))
    }

    @Test func `never rests longer than its limit`() {
        let pace = pace(10, of: 11, every: .milliseconds(100), work: .milliseconds(90))
        #expect(pace.resumption == start + .seconds(1) + AdaptiveBatching.longest)
    }

    @Test func `waits for nothing when a full batch was there`() {
        #expect(pace(10, of: 500, every: .milliseconds(100), work: .milliseconds(50)).resumption == nil)
    }
}
