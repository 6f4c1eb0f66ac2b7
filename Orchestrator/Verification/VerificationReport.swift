import Contracts
import FleetRuntime

/// A promise of the fleet that can be looked at from outside.
package enum Promise: String, Sendable, Codable, CaseIterable {
    /// What a tier counts is what its holds and seats say, and never more than there is.
    case stockIsConserved = "stock-is-conserved"
    /// A seat has one holder, and its holder knows it.
    case seatsHaveOneHolder = "seats-have-one-holder"
    /// A sold hold has its valid tickets, and nothing else has any.
    case ticketsFollowHolds = "tickets-follow-holds"
    /// Captured money is tickets or goes back; the books and the provider agree.
    case moneyMatchesTickets = "money-matches-tickets"
    /// Whatever is open will be looked at again.
    case everythingEnds = "everything-ends"
    /// The journal, replayed, is the saga.
    case journalsReplay = "journals-replay"
    /// Nothing was done twice.
    case effectsHappenOnce = "effects-happen-once"
    /// Nothing that was accepted or answered is gone.
    case nothingIsLost = "nothing-is-lost"
}

/// A promise that is broken, where, and how.
package struct Violation: Sendable, Equatable, Encodable {
    package let promise: Promise
    /// What it is about, such as `saga 0198…`.
    package let subject: String
    package let detail: String

    package init(_ promise: Promise, _ subject: String, _ detail: String) {
        self.promise = promise
        self.subject = subject
        self.detail = detail
    }

    package init(_ promise: Promise, saga: SagaID, _ detail: String) {
        self.init(promise, "saga \(saga)", detail)
    }
}

/// What a verification looked at, and what it found wrong.
package struct VerificationReport: Sendable, Encodable {
    /// Violations shown of each promise; the rest is only counted.
    package static let shown = 100

    package let isSound: Bool
    /// Whether it also asked that everything has come to its end.
    package let settled: Bool
    package let sagas: Int
    package let journalLines: Int
    package let seconds: Double
    package let broken: [String: Int]
    package let violations: [Violation]

    init(_ violations: [Violation], settled: Bool, sagas: Int, journalLines: Int, took: Duration) {
        let byPromise = Dictionary(grouping: violations, by: \.promise)
        isSound = violations.isEmpty
        self.settled = settled
        self.sagas = sagas
        self.journalLines = journalLines
        seconds = (took.seconds * 1_000).rounded() / 1_000
        broken = Dictionary(uniqueKeysWithValues: byPromise.map { ($0.rawValue, $1.count) })
        self.violations = Promise.allCases.flatMap { (byPromise[$0] ?? []).prefix(Self.shown) }
    }

    /// A line per violation, and a line that sums up.
    package var lines: [String] {
        let found = violations.map { "\($0.promise.rawValue): \($0.subject): \($0.detail)" }
        let hidden = broken.sorted { $0.key < $1.key }.filter { $0.value > Self.shown }.map {
            "\($0.key): \($0.value - Self.shown) more"
        }
        let looked = "\(sagas) sagas, \(journalLines) journal lines, \(seconds) s"
        return found + hidden + [isSound ? "sound: \(looked)" : "NOT SOUND: \(looked)"]
    }
}
