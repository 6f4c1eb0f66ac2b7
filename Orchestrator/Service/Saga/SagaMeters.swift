import CoreMetrics
import Synchronization

/// Counts what happens to sagas; input names are a closed set, so the series are bounded.
struct SagaMeters: Sendable {
    private let redriven = Counter(label: "turnstile_saga_redriven_total")
    private let repeated = Counter(label: "turnstile_saga_repeats_total")
    private let impossible = Counter(label: "turnstile_saga_impossible_inputs_total")

    func count(_ input: String) {
        Counter(label: "turnstile_saga_inputs_total", dimensions: [("input", input)]).increment()
    }

    func countRedrive() { redriven.increment() }
    func countRepeat() { repeated.increment() }
    func countImpossible() { impossible.increment() }
}
