import CoreMetrics
import Synchronization

/// One series of a metric, which knows how it is written.
protocol Series: AnyObject, Sendable {
    func lines(_ name: String, _ labels: String) -> [String]
}

/// The words of the Prometheus text format.
enum Exposition {
    static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)"
    }

    /// Whole numbers without a point.
    static func number(_ value: Double) -> String {
        value.rounded() == value && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}

final class CounterSeries: Series, CounterHandler {
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func lines(_ name: String, _ labels: String) -> [String] {
        [Exposition.line(name, labels, "\(value.load(ordering: .relaxed))")]
    }
}

final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    /// What one recorded unit is worth in the exposed unit.
    private let unit: Double
    private let state: Mutex<State>

    init(bounds: [Double], unit: Double) {
        self.bounds = bounds
        self.unit = unit
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration)) }

    func record(_ value: Double) {
        let value = value * unit
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func lines(_ name: String, _ labels: String) -> [String] {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        var lines: [String] = []
        for (bound, count) in zip(bounds.map { Exposition.number($0) } + ["+Inf"], state.counts) {
            total += count
            lines.append(Exposition.line("\(name)_bucket", "\(prefix)le=\"\(bound)\"", "\(total)"))
        }
        return lines + [
            Exposition.line("\(name)_sum", labels, Exposition.number(state.sum)),
            Exposition.line("\(name)_count", labels, "\(total)"),
        ]
    }
}
