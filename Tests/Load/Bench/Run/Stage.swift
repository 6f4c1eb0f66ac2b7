import TestKit

/// What a trial plays on: the fleet under measurement, and the instruments.
struct Stage: Sendable {
    let target: Target
    let fleet: FleetProcesses
    let meter: Meter
    let cleaner: Cleaner
    let round: Int

    /// Does what is to be measured; everything else that a trial does costs nothing.
    func measure<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        try await meter.measure(await fleet.meters, body)
    }
}
