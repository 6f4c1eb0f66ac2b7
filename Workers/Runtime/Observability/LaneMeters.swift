import CoreMetrics
import Topology

/// The counters and timers of one lane.
struct LaneMeters: Sendable {
    private let messages: Counter
    private let batches: Recorder
    private let duration: CoreMetrics.Timer
    private let retries: Counter
    private let burials: Counter
    private let transientFailures: Counter

    init(queue: Queue) {
        let dimensions = [("queue", queue.name)]
        messages = Counter(label: "turnstile_messages_consumed_total", dimensions: dimensions)
        batches = Recorder(label: "turnstile_batch_size", dimensions: dimensions, aggregate: true)
        duration = CoreMetrics.Timer(label: "turnstile_batch_duration_seconds", dimensions: dimensions)
        retries = Counter(label: "turnstile_messages_retried_total", dimensions: dimensions)
        burials = Counter(label: "turnstile_messages_buried_total", dimensions: dimensions)
        transientFailures = Counter(label: "turnstile_transient_failures_total", dimensions: dimensions)
    }

    func record(batch size: Int, took time: Duration) {
        messages.increment(by: size)
        batches.record(size)
        duration.recordNanoseconds(time.nanoseconds)
    }

    func countRetry() { retries.increment() }
    func countBurial() { burials.increment() }
    func countTransientFailure() { transientFailures.increment() }
}

/// The counters and timers of publishing.
struct MailerMeters: Sendable {
    private let published = Counter(label: "turnstile_messages_published_total")
    private let refused = Counter(label: "turnstile_messages_refused_total")
    private let duration = CoreMetrics.Timer(label: "turnstile_publish_confirm_duration_seconds")

    func record(published count: Int, refused refusals: Int, took time: Duration) {
        published.increment(by: count)
        if refusals > 0 { refused.increment(by: refusals) }
        duration.recordNanoseconds(time.nanoseconds)
    }
}

extension Duration {
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
