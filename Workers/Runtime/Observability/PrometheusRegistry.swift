import CoreMetrics
import Synchronization

/// A number that is looked up when somebody scrapes, instead of being recorded when it changes.
package struct Sample: Sendable {
    package let metric: Metric
    package let labels: [(String, String)]
    package let value: Double

    package init(_ metric: Metric, _ labels: [(String, String)], _ value: Double) {
        self.metric = metric
        self.labels = labels
        self.value = value
    }

    package init(_ metric: Metric, _ value: Double) {
        self.init(metric, [], value)
    }
}

/// Keeps every metric of the process and writes them in the Prometheus text format, version 0.0.4.
///
/// It knows the metrics of `Metric` and no other; what a library records beside them is not exposed.
package final class PrometheusRegistry: MetricsFactory, Sendable {
    private let series = Mutex<[SeriesKey: any Series]>([:])
    private let sources = Mutex<[@Sendable () async -> [Sample]]>([])

    package init() {}

    /// Asks `source` at every scrape; its labels must come from code.
    package func gather(_ source: @escaping @Sendable () async -> [Sample]) {
        sources.withLock { $0.append(source) }
    }

    /// The exposition of all series, grouped by metric.
    package func scrape() async -> String {
        var families: [Metric: [(labels: String, lines: [String])]] = [:]
        for (key, member) in series.withLock({ $0 }) {
            families[key.metric, default: []].append((key.labels, member.lines(key.metric.rawValue, key.labels)))
        }
        for source in sources.withLock({ $0 }) {
            for sample in await source() {
                let labels = SeriesKey.text(of: sample.labels)
                let line = Exposition.line(sample.metric.rawValue, labels, Exposition.number(sample.value))
                families[sample.metric, default: []].append((labels, [line]))
            }
        }
        return families.sorted { $0.key.rawValue < $1.key.rawValue }.map { metric, members in
            let lines = members.sorted { $0.labels < $1.labels }.flatMap(\.lines)
            return """
                # HELP \(metric.rawValue) \(metric.help)
                # TYPE \(metric.rawValue) \(metric.kind.rawValue)
                \(lines.joined(separator: "\n"))

                """
        }.joined()
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { _ in CounterSeries() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        find(label, dimensions) { HistogramSeries(bounds: $0?.bounds ?? [], unit: 1) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { HistogramSeries(bounds: $0?.bounds ?? [], unit: 1e-9) }
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    private func find<Found: Series>(
        _ name: String, _ labels: [(String, String)], make: (Metric?) -> Found
    ) -> Found {
        guard let metric = Metric(rawValue: name) else { return make(nil) }
        let key = SeriesKey(metric: metric, labels: SeriesKey.text(of: labels))
        return series.withLock { series in
            if let found = series[key] as? Found { return found }
            let made = make(metric)
            series[key] = made
            return made
        }
    }
}

private struct SeriesKey: Hashable, Sendable {
    let metric: Metric
    /// `a="b",c="d"`, or empty.
    let labels: String

    static func text(of labels: [(String, String)]) -> String {
        labels.map { "\($0)=\"\(Exposition.escaped($1))\"" }.joined(separator: ",")
    }
}
