import RabbitMQ
import Synchronization

/// The queues outside the fleet that have lately not taken a message: for a while nothing is tried with them on the way
/// of a batch.
final class Suspensions: Sendable {
    private struct Suspension {
        let end: ContinuousClock.Instant
        let reason: NonDelivery
    }

    /// Beyond this many queues, those whose time is over are forgotten, or all.
    private static let capacity = 10_000

    private let queues = Mutex<[String: Suspension]>([:])

    func suspend(_ queue: String, because reason: NonDelivery, at now: ContinuousClock.Instant) {
        queues.withLock { queues in
            queues[queue] = Suspension(end: now + reason.suspension, reason: reason)
            guard queues.count > Self.capacity else { return }
            queues = queues.filter { $0.value.end > now }
            if queues.count > Self.capacity { queues = [:] }
        }
    }

    /// Sorts out the answers whose queues are suspended.
    func divide(
        _ publications: [Publication], at now: ContinuousClock.Instant
    ) -> (open: [Publication], suspended: [UndeliveredMessage]) {
        let queues = queues.withLock { $0 }
        guard !queues.isEmpty else { return (publications, []) }
        var (open, suspended): ([Publication], [UndeliveredMessage]) = ([], [])
        for publication in publications {
            if publication.isAnswer, let suspension = queues[publication.routingKey], suspension.end > now {
                suspended.append(UndeliveredMessage(publication, because: suspension.reason))
            } else {
                open.append(publication)
            }
        }
        return (open, suspended)
    }
}

extension NonDelivery {
    /// How long a queue is left alone; one that breaks connections costs others most.
    fileprivate var suspension: Duration {
        switch self {
        case .refused, .noQueue, .unanswered: .seconds(5)
        case .broken: .seconds(300)
        }
    }
}
