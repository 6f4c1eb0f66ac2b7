import CoreMetrics
import Synchronization

/// The handles by which code records what happens; made once and kept, for making one is a look-up.
extension Metric {
    package func counter(_ labels: [(String, String)] = []) -> Counter {
        Counter(label: rawValue, dimensions: labels)
    }

    package func timer(_ labels: [(String, String)] = []) -> CoreMetrics.Timer {
        CoreMetrics.Timer(label: rawValue, dimensions: labels)
    }

    package func recorder(_ labels: [(String, String)] = []) -> Recorder {
        Recorder(label: rawValue, dimensions: labels, aggregate: true)
    }
}

/// The series of one metric told apart by a label whose values are a closed set, each made when first needed.
package final class Labelled<Handle: Sendable>: Sendable {
    private let make: @Sendable (String) -> Handle
    private let handles = Mutex<[String: Handle]>([:])

    private init(_ make: @escaping @Sendable (String) -> Handle) {
        self.make = make
    }

    package subscript(value: String) -> Handle {
        handles.withLock { handles in
            if let handle = handles[value] { return handle }
            let handle = make(value)
            handles[value] = handle
            return handle
        }
    }
}

extension Labelled<Counter> {
    /// - Parameter expected: values that are shown as 0 from the start, so that their first increase is seen as one.
    package convenience init(
        _ metric: Metric, by label: String, _ fixed: [(String, String)] = [], expecting expected: [String] = []
    ) {
        self.init { metric.counter(fixed + [(label, $0)]) }
        for value in expected { _ = self[value] }
    }

    /// Adds up what a batch brought: one update per value that occurs in it.
    package func add(_ tally: [String: Int]) {
        for (value, count) in tally { self[value].count(count) }
    }
}

extension Labelled<CoreMetrics.Timer> {
    package convenience init(_ metric: Metric, by label: String) {
        self.init { metric.timer([(label, $0)]) }
    }
}

extension Counter {
    /// Adds what a batch brought, if it brought any.
    package func count(_ number: Int) {
        if number > 0 { increment(by: number) }
    }
}

extension Duration {
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
