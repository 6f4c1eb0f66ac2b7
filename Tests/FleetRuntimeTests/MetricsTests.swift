import CoreMetrics
import FleetRuntime
import Testing

@Suite struct `The metrics` {
    @Test func `are written in the text format of Prometheus`() async {
        let registry = PrometheusRegistry()
        withMetricsFactory(registry) {
            Metric.sweepItems.counter([("sweep", "a\"b")]).increment(by: 3)
            Metric.publishConfirm.timer().recordNanoseconds(2_000_000)
            Metric.batchMessages.recorder([("queue", "q")]).record(500)
        }
        registry.gather { [Sample(.outboxPending, 7), Sample(.processCPU, 0.25)] }
        let text = await registry.scrape()
        #expect(
            text.contains(
                "# TYPE turnstile_sweep_items_total counter\nturnstile_sweep_items_total{sweep=\"a\\\"b\"} 3\n"))
        #expect(text.contains("turnstile_publish_confirm_duration_seconds_bucket{le=\"0.001\"} 0\n"))
        #expect(text.contains("turnstile_publish_confirm_duration_seconds_bucket{le=\"0.0025\"} 1\n"))
        #expect(text.contains("turnstile_publish_confirm_duration_seconds_bucket{le=\"+Inf\"} 1\n"))
        #expect(text.contains("turnstile_publish_confirm_duration_seconds_sum 0.002\n"))
        #expect(text.contains("turnstile_publish_confirm_duration_seconds_count 1\n"))
        #expect(text.contains("turnstile_batch_messages_bucket{queue=\"q\",le=\"500\"} 1\n"))
        #expect(text.contains("# TYPE turnstile_outbox_pending gauge\nturnstile_outbox_pending 7\n"))
        #expect(text.contains("# HELP process_cpu_seconds_total Processor time of the process.\n"))
        #expect(text.contains("\nprocess_cpu_seconds_total 0.25\n"))
    }

    @Test func `show nothing that is not in their list`() async {
        let registry = PrometheusRegistry()
        withMetricsFactory(registry) { Counter(label: "somebody_elses_total").increment() }
        #expect(await registry.scrape() == "")
    }

    @Test func `give one series to all who name the same labels`() async {
        let registry = PrometheusRegistry()
        withMetricsFactory(registry) {
            for _ in 0..<3 { Metric.sweepFailures.counter([("sweep", "x")]).increment() }
            let reasons = Labelled<Counter>(.sagaIgnored, by: "reason", expecting: ["late"])
            reasons.add(["impossible": 2, "duplicate": 0])
        }
        let text = await registry.scrape()
        #expect(text.contains("turnstile_sweep_failures_total{sweep=\"x\"} 3\n"))
        #expect(text.contains("turnstile_saga_ignored_total{reason=\"late\"} 0\n"))
        #expect(text.contains("turnstile_saga_ignored_total{reason=\"impossible\"} 2\n"))
    }

    @Test(arguments: Metric.allCases)
    func `have names that say their unit, and a sentence each`(metric: Metric) {
        let isOurs = metric.rawValue.hasPrefix("turnstile_") || metric.rawValue.hasPrefix("process_")
        #expect(isOurs)
        #expect(metric.rawValue.allSatisfy { $0 == "_" || ("a"..."z").contains($0) })
        #expect(metric.help.hasSuffix("."))
        #expect((metric.kind == .counter) == metric.rawValue.hasSuffix("_total"))
        for word in ["_ms", "_millis", "_minutes", "_percent", "_kb", "_mb"] {
            #expect(!metric.rawValue.contains(word))
        }
    }
}
