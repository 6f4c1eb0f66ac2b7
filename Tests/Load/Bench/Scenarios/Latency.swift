import TestKit

/// The time from a start to its completed event, at rates far from saturation and near it.
enum Latency {
    /// What the first seconds warm up is not counted.
    private static let warmUp = 2

    static func trials(_ sizes: Sizes) -> [Trial] {
        sizes.latencyRates.map { rate in
            let seconds = sizes.latencySeconds(at: rate)
            return Trial(
                scenario: "latency", variant: "\(rate)/s",
                floor: FloorRun(purchases: rate * (seconds + warmUp), rate: rate)
            ) { try await play($0, rate: rate, seconds: seconds) }
        }
    }

    private static func play(_ stage: Stage, rate: Int, seconds: Int) async throws -> Findings {
        let buyers = Buyers(try await stage.target.publishEvents(8))
        let stream = SteadyStream(
            target: stage.target, buyers: buyers, rate: Double(rate), count: rate * (seconds + warmUp))
        let timings = try await stage.measure { try await stream.run() }
        let counted = timings.filter { $0.due >= .seconds(warmUp) }.map(\.took)
        return Findings(
            figures: ["purchases per second": Double(rate), "purchases": Double(timings.count)],
            latencies: ["start to completed": Percentiles(counted)])
    }
}
