import Chance
import Connections
import OrchestratorService
import Payment
import Reservation

/// How a simulated fleet is set up: how many of each, how patient, and what is wrong with it.
package struct Plan: Sendable {
    package var replicas = 1
    package var batch = 20
    package var stepTimeout = Duration.seconds(2)
    package var stepAttempts = 4
    package var backoffLimit = Duration.seconds(20)
    package var sweepPeriod = Duration.seconds(1)
    /// How many seconds the processes' clocks may be off.
    package var skew = 0.0
    package var flaws = Flaws()

    package init() {}

    package static func random(using chance: inout SeededChance) -> Plan {
        var plan = Plan()
        plan.replicas = Int.random(in: 1...2, using: &chance)
        plan.batch = [1, 3, 20].randomElement(using: &chance) ?? 20
        plan.stepTimeout = .milliseconds(Int.random(in: 500...4_000, using: &chance))
        plan.stepAttempts = Int.random(in: 2...6, using: &chance)
        plan.skew = Bool.random(using: &chance) ? 0 : Double.random(in: 0.1...3, using: &chance)
        return plan
    }
}
