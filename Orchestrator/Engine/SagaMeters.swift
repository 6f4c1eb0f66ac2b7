import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import SagaCore
import Synchronization

/// Counts and times what happens to sagas, a batch at a time; states, inputs and reasons are closed sets.
package final class SagaMeters: Sendable {
    private let redriven = Metric.sagaRedriven.counter()
    private let repeated = Metric.sagaRepeated.counter()
    private let inputs = Labelled<Counter>(.sagaInputs, by: "input")
    private let ignored = Labelled<Counter>(
        .sagaIgnored, by: "reason", expecting: IgnoreReason.allCases.map(\.rawValue))
    private let transitions = Mutex<[Transition: Counter]>([:])
    private let stepTimes = Labelled<CoreMetrics.Timer>(.sagaStepDuration, by: "state")
    private let lifeTimes = Labelled<CoreMetrics.Timer>(.sagaDuration, by: "outcome")
    private let arrivals = ArrivalTimes()

    private struct Transition: Hashable {
        let from: String
        let to: String
    }

    package init() {}

    /// Notes the lines that a batch added to the journal, after their commit.
    func record<Definition>(_ journal: [JournalEntry<Definition>]) {
        guard !journal.isEmpty else { return }
        inputs.add(tally(journal) { $0.input.name })
        let moved = journal.filter { $0.from != $0.to.tag }
        for (transition, count) in tally(moved, { Transition(from: $0.from ?? "none", to: $0.to.tag) }) {
            counter(of: transition).increment(by: count)
        }
        let arrived = arrivals.move(moved.map { ($0.sagaID, $0.at, staysOpen: $0.to.outcome == nil) })
        for (entry, since) in zip(moved, arrived) {
            if let from = entry.from, let since = since ?? birth(of: entry) {
                stepTimes[from].record(from: since, to: entry.at)
            }
            if let outcome = entry.to.outcome {
                lifeTimes[outcome].record(from: entry.sagaID.createdAt, to: entry.at)
            }
        }
    }

    func count(ignored tally: [String: Int], repeated count: Int) {
        ignored.add(tally)
        repeated.count(count)
    }

    func count(redriven number: Int) { redriven.count(number) }

    /// A saga's second line leaves the state in which it was born.
    private func birth<Definition>(of entry: JournalEntry<Definition>) -> Date? {
        entry.version == 2 ? entry.sagaID.createdAt : nil
    }

    private func counter(of transition: Transition) -> Counter {
        transitions.withLock { counters in
            if let counter = counters[transition] { return counter }
            let counter = Metric.sagaTransitions.counter([("from", transition.from), ("to", transition.to)])
            counters[transition] = counter
            return counter
        }
    }
}

/// How often each value occurs.
package func tally<Element, Value: Hashable>(_ elements: [Element], _ value: (Element) -> Value) -> [Value: Int] {
    elements.reduce(into: [:]) { $0[value($1), default: 0] += 1 }
}

extension CoreMetrics.Timer {
    fileprivate func record(from start: Date, to end: Date) {
        recordSeconds(max(0, end.timeIntervalSince(start)))
    }
}

extension SagaID {
    /// The moment that its id was made in.
    package var createdAt: Date { Date(timeIntervalSince1970: Double(uuid.leadingMilliseconds) / 1_000) }
}

/// When sagas came into the state that they are in, as far as this process moved them; bounded and forgetful.
private final class ArrivalTimes: Sendable {
    private struct Memory {
        var newer: [SagaID: Date] = [:]
        var older: [SagaID: Date] = [:]
    }

    private static let half = 32_768
    private let memory = Mutex(Memory())

    /// Notes moves in order; answers since when each saga was where it was.
    func move(_ moves: [(saga: SagaID, at: Date, staysOpen: Bool)]) -> [Date?] {
        memory.withLock { memory in
            if memory.newer.count + moves.count > Self.half {
                memory.older = memory.newer
                memory.newer = [:]
            }
            return moves.map { saga, at, staysOpen in
                let since = memory.newer[saga] ?? memory.older[saga]
                memory.newer[saga] = staysOpen ? at : nil
                if since != nil && memory.newer[saga] == nil { memory.older[saga] = nil }
                return since
            }
        }
    }
}
