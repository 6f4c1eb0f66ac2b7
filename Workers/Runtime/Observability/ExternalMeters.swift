import CoreMetrics

/// The counters of what queues outside the fleet did not take.
struct ExternalMeters: Sendable {
    private let refusals: [String: [NonDelivery: Counter]]
    private let lost = Metric.answersLost.counter()

    init() {
        refusals = Dictionary(
            uniqueKeysWithValues: ["upstream", "listener"].map { recipient in
                let counters = NonDelivery.allCases.map { reason in
                    let labels = [("recipient", recipient), ("reason", reason.rawValue)]
                    return (reason, Metric.externalRefusals.counter(labels))
                }
                return (recipient, Dictionary(uniqueKeysWithValues: counters))
            })
    }

    func record(_ undelivered: [UndeliveredMessage]) {
        for message in undelivered {
            refusals[message.publication.isAnswer ? "upstream" : "listener"]?[message.reason]?.increment()
        }
    }

    /// Counts answers that are told to nobody.
    func count(lost count: Int) { lost.count(count) }
}
