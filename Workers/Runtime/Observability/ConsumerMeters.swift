import CoreMetrics
import Topology

/// What became of the messages of one batch.
struct BatchTally: Sendable {
    var handled = 0
    var retried = 0
    var deadLettered = 0
    /// The age of the oldest message when the batch was taken; nil when no message says when it was sent.
    var oldestAge: Duration?

    var count: Int { handled + retried + deadLettered }
}

/// The counters and timers of one lane; a batch is one update of each, however many messages it has.
struct ConsumerMeters: Sendable {
    private let handled: Counter
    private let retried: Counter
    private let deadLettered: Counter
    private let batches: Recorder
    private let duration: CoreMetrics.Timer
    private let age: CoreMetrics.Timer
    private let transientFailures: Counter
    private let lastingConflicts: Counter

    init(queue: Queue) {
        let labels = [("queue", queue.name)]
        handled = Metric.messagesConsumed.counter(labels + [("outcome", "handled")])
        retried = Metric.messagesConsumed.counter(labels + [("outcome", "retried")])
        deadLettered = Metric.messagesConsumed.counter(labels + [("outcome", "buried")])
        batches = Metric.batchMessages.recorder(labels)
        duration = Metric.batchDuration.timer(labels)
        age = Metric.batchAge.timer(labels)
        transientFailures = Metric.transientFailures.counter(labels)
        lastingConflicts = Metric.lastingConflicts.counter(labels)
    }

    func record(_ batch: BatchTally, took time: Duration) {
        handled.count(batch.handled)
        retried.count(batch.retried)
        deadLettered.count(batch.deadLettered)
        batches.record(batch.count)
        duration.recordNanoseconds(time.nanoseconds)
        if let oldest = batch.oldestAge { age.recordNanoseconds(oldest.nanoseconds) }
    }

    func countTransientFailure() { transientFailures.increment() }
    func countLastingConflict() { lastingConflicts.increment() }
}

/// The counters and timers of publishing.
struct PublisherMeters: Sendable {
    private let published = Metric.messagesPublished.counter()
    private let refused = Metric.messagesRefused.counter()
    private let duration = Metric.publishConfirm.timer()

    func record(published count: Int, refused refusals: Int, took time: Duration) {
        published.increment(by: count)
        refused.count(refusals)
        duration.recordNanoseconds(time.nanoseconds)
    }
}
