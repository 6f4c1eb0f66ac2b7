import Testing

@testable import FleetRuntime

/// When a lane lets messages gather, and for how long.
@Suite struct `The pace of a lane` {
    private let start = ContinuousClock.now

    private func pace(_ batches: [(at: Duration, count: Int)]) -> Pace {
        batches.reduce(Pace(fullBatch: 500, at: start)) { $0.taking($1.count, at: start + $1.at) }
    }

    @Test func `waits for nothing before it knows how fast messages come`() {
        #expect(pace([]).pause(at: start) == nil)
        #expect(pace([(.milliseconds(1), 1), (.milliseconds(2), 90)]).pause(at: start + .milliseconds(3)) == nil)
    }

    @Test func `waits for nothing while few messages come`() {
        let pace = pace((1...20).map { (.milliseconds($0 * 50), 4) })
        #expect(pace.pause(at: start + .seconds(1)) == nil)
    }

    @Test func `takes a breath between batches while messages are lively, unless the work took as long`() {
        let pace = pace((1...20).map { (.milliseconds($0 * 50), 20) })
        #expect(pace.pause(at: start + .milliseconds(1_002)) == Pace.breath - .milliseconds(2))
        #expect(pace.pause(at: start + .milliseconds(1_000) + Pace.breath) == nil)
    }

    @Test func `lets messages gather while many come, until a batch should be full`() throws {
        let pace = pace((1...10).map { (.milliseconds($0 * 100), 480) })
        let pause = try #require(pace.pause(at: start + .seconds(1)))
        #expect(pause > .milliseconds(90) && pause <= Pace.longestPause)
        #expect(pace.pause(at: start + .seconds(2)) == nil, "the wait counts from when the last batch was taken")
    }

    @Test func `never waits longer than its limit`() {
        let pace = pace((1...10).map { (.milliseconds($0 * 100), 110) })
        #expect(pace.pause(at: start + .seconds(1)) == Pace.longestPause)
    }

    @Test func `waits for nothing when a full batch was there`() {
        let pace = pace((1...10).map { (.milliseconds($0 * 100), 500) })
        #expect(pace.pause(at: start + .seconds(1)) == nil)
    }
}
