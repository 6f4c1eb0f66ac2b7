import Contracts
import FoundationEssentials
import Payment
import Synchronization

/// The payment provider's own memory, which outlives every process of ours.
package final class ProviderBook: Sendable {
    package enum Status: Sendable, Equatable { case pending, captured, declined, closed, refunded }

    package struct Entry: Sendable {
        package let payment: ProviderPayment
        package var status: Status
        package var calls = 1
        package let captureAt: Duration?

        package var id: String { "sim_\(payment.key)" }
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let isOpen = Mutex(true)

    package init() {}

    package func set(reachable: Bool) {
        isOpen.withLock { $0 = reachable }
    }

    var isReachable: Bool { isOpen.withLock { $0 } }

    package var all: [Entry] {
        entries.withLock { $0.values.sorted { $0.payment.key < $1.payment.key } }
    }

    /// Makes a charge, or moves one that is known a call further.
    func charge(_ payment: ProviderPayment, at now: Duration) -> Entry {
        entries.withLock { entries in
            let method = SimulatedMethod(token: payment.method)
            guard var entry = entries[payment.key] else {
                let entry = Entry(
                    payment: payment, status: Self.firstStatus(of: method), captureAt: method.pause.map { now + $0 })
                entries[payment.key] = entry
                return entry
            }
            entry.calls += 1
            let isDue = method == .flaky && entry.calls >= 3 || entry.captureAt.map { $0 <= now } ?? false
            if entry.status == .pending && isDue { entry.status = .captured }
            entries[payment.key] = entry
            return entry
        }
    }

    /// Ends a charge, known or not.
    func close(_ payment: ProviderPayment, at now: Duration) -> Entry {
        entries.withLock { entries in
            var entry = entries[payment.key] ?? Entry(payment: payment, status: .closed, calls: 0, captureAt: nil)
            if entry.status == .pending {
                let isLate = SimulatedMethod(token: entry.payment.method) == .late
                entry.status = isLate || entry.captureAt.map { $0 <= now } ?? false ? .captured : .closed
            }
            entries[payment.key] = entry
            return entry
        }
    }

    /// Gives captured money back; nil where nothing was captured.
    func refund(_ payment: ProviderPayment) -> Entry? {
        entries.withLock { entries in
            guard var entry = entries[payment.key], entry.status == .captured || entry.status == .refunded else {
                return nil
            }
            entry.status = .refunded
            entries[payment.key] = entry
            return entry
        }
    }

    private static func firstStatus(of method: SimulatedMethod) -> Status {
        switch method {
        case .ok, .timeoutAfterCharge: .captured
        case .declined, .unknown: .declined
        case .flaky, .slow, .never, .late: .pending
        }
    }
}

extension SimulatedMethod {
    fileprivate var pause: Duration? {
        if case .slow(let milliseconds) = self { .milliseconds(milliseconds) } else { nil }
    }
}
