import CoreMetrics
import FleetRuntime

/// Counts the provider's answers by question and outcome.
struct ProviderMeters: Sendable {
    private struct Key: Hashable {
        let operation: Charge.Operation
        let outcome: AttemptNote.Outcome
    }

    private let counters: [Key: Counter]

    init() {
        var counters: [Key: Counter] = [:]
        for operation in Charge.Operation.allCases {
            for outcome in AttemptNote.Outcome.allCases {
                let dimensions = [("operation", operation.rawValue), ("outcome", outcome.rawValue)]
                counters[Key(operation: operation, outcome: outcome)] = Metric.paymentAnswers.counter(dimensions)
            }
        }
        self.counters = counters
    }

    func count(_ answer: ProviderAnswer) {
        counters[Key(operation: answer.operation, outcome: answer.outcome)]?.increment()
    }
}
