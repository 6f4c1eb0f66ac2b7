import Contracts
import RabbitMQ
import Synchronization

/// Who listens to events, as far as publishing has shown it, so that events for nobody are not published by the hundred.
///
/// Of a kind that nobody listened to, one event of a batch goes ahead and the broker is asked to return it; when it
/// does, nobody was there after all events of the batch had happened, and the broker would have dropped every one.
final class EventSubscriptionCache: Sendable {
    private let heard = Mutex<Set<String>>([])

    /// The messages to publish first, and the events that depend on what becomes of their forerunners.
    func divide(_ publications: [Publication]) -> (first: [Publication], later: [Publication]) {
        guard publications.contains(where: \.isEvent) else { return (publications, []) }
        let heard = heard.withLock { $0 }
        var forerunners: Set<String> = []
        var (first, later): ([Publication], [Publication]) = ([], [])
        first.reserveCapacity(publications.count)
        for var publication in publications {
            guard publication.isEvent else {
                first.append(publication)
                continue
            }
            publication.isMandatory = true
            let kind = publication.routingKey
            if heard.contains(kind) || forerunners.insert(kind).inserted {
                first.append(publication)
            } else {
                later.append(publication)
            }
        }
        return (first, later)
    }

    func isListening(to event: Publication) -> Bool {
        heard.withLock { $0.contains(event.routingKey) }
    }

    /// Learns from the broker's answer, and leaves the refusals that are failures.
    func learn(from refusals: [Refusal], to publications: [Publication]) -> [Refusal] {
        let refused = Set(refusals.map(\.index))
        var (taken, silent): (Set<String>, Set<String>) = ([], [])
        for index in publications.indices where publications[index].isEvent && !refused.contains(index) {
            taken.insert(publications[index].routingKey)
        }
        let failures = refusals.filter { refusal in
            guard publications[refusal.index].isEvent && refusal.reason.isNoRoute else { return true }
            silent.insert(publications[refusal.index].routingKey)
            return false
        }
        heard.withLock { $0 = $0.union(taken).subtracting(silent) }
        return failures
    }
}

extension Refusal.Reason {
    /// NO_ROUTE of AMQP 0-9-1.
    fileprivate var isNoRoute: Bool {
        switch self {
        case .returned(let code, _): code == 312
        case .nacked, .unanswered: false
        }
    }
}
