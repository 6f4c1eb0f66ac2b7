import CoreMetrics
import Synchronization

/// Keeps every metric of the process and writes them in the Prometheus text format, version 0.0.4.
///
/// Series are bounded by construction: labels come from code, never from what the world sent.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    private let series = Mutex<[SeriesKey: any Series]>([:])

    package init() {}

    /// The exposition of all series, grouped by metric.
    package var exposition: String {
        let all = series.withLock { Array($0) }
        let families = Dictionary(grouping: all) { $0.key.name }
        return families.sorted { $0.key < $1.key }.map { name, members in
            let lines = members.sorted { $0.key.labels < $1.key.labels }.flatMap { $0.value.lines(name, $0.key.labels) }
            return "# TYPE \(name) \(members[0].value.type)\n" + lines.joined(separator: "\n") + "\n"
        }.joined()
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { CounterSeries() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? find(label, dimensions) { HistogramSeries(bounds: HistogramSeries.sizes, unit: 1) }
            : find(label, dimensions) { GaugeSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { GaugeSeries() }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { HistogramSeries(bounds: HistogramSeries.seconds, unit: 1e-9) }
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func find<Found: Series>(_ name: String, _ labels: [(String, String)], make: () -> Found) -> Found {
        let key = SeriesKey(name: name, labels: labels)
        return series.withLock { series in
            if let found = series[key] as? Found { return found }
            let made = make()
            series[key] = made
            return made
        }
    }
}

private struct SeriesKey: Hashable, Sendable {
    let name: String
    /// `a="b",c="d"`, or empty.
    let labels: String

    init(name: String, labels: [(String, String)]) {
        self.name = name
        self.labels = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
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

private protocol Series: AnyObject, Sendable {
    var type: String { get }
    func lines(_ name: String, _ labels: String) -> [String]
}

private func line(_ name: String, _ labels: String, _ value: String) -> String {
    labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels)} \(value)"
}

private final class CounterSeries: Series, CounterHandler {
    private let value = Atomic<Int64>(0)
    var type: String { "counter" }

    func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func lines(_ name: String, _ labels: String) -> [String] {
        [line(name, labels, "\(value.load(ordering: .relaxed))")]
    }
}

private final class GaugeSeries: Series, RecorderHandler, MeterHandler {
    private let value = Mutex(0.0)
    var type: String { "gauge" }

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func lines(_ name: String, _ labels: String) -> [String] {
        [line(name, labels, "\(value.withLock { $0 })")]
    }
}

private final class HistogramSeries: Series, RecorderHandler, TimerHandler {
    static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    static let sizes = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000]

    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    private let bounds: [Double]
    /// What one recorded unit is worth in the exposed unit.
    private let unit: Double
    private let state: Mutex<State>
    var type: String { "histogram" }

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
        for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], state.counts) {
            total += count
            lines.append(line("\(name)_bucket", "\(prefix)le=\"\(bound)\"", "\(total)"))
        }
        return lines + [line("\(name)_sum", labels, "\(state.sum)"), line("\(name)_count", labels, "\(total)")]
    }
}
