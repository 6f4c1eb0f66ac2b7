/// Every kind of message on the wire, by its hand-written name; renaming a Swift type changes nothing outside.
package enum MessageKind: String, Sendable, CaseIterable, Codable {
    case purchaseStart = "purchase.start.v1"
    case purchaseCancel = "purchase.cancel.v1"
    case eventPublish = "event.publish.v1"
    case purchaseAccepted = "purchase.accepted.v1"
    case purchaseRejected = "purchase.rejected.v1"

    case reserve = "reservation.reserve.v1"
    case confirm = "reservation.confirm.v1"
    case release = "reservation.release.v1"
    case stock = "reservation.stock.v1"
    case charge = "payment.charge.v1"
    case close = "payment.close.v1"
    case refund = "payment.refund.v1"
    case schedule = "expiry.schedule.v1"
    case unschedule = "expiry.cancel.v1"
    case notify = "notification.send.v1"
    case observe = "recommendation.observe.v1"

    case reserved = "reservation.reserved.v1"
    case reservationRefused = "reservation.refused.v1"
    case confirmed = "reservation.confirmed.v1"
    case released = "reservation.released.v1"
    case captured = "payment.captured.v1"
    case declined = "payment.declined.v1"
    case closed = "payment.closed.v1"
    case refunded = "payment.refunded.v1"
    case elapsed = "expiry.elapsed.v1"
    case delivered = "notification.delivered.v1"
    case notificationFailed = "notification.failed.v1"

    case purchaseStarted = "purchase.started.v1"
    case purchaseCompleted = "purchase.completed.v1"
    case purchaseRefused = "purchase.refused.v1"
    case purchaseRefunded = "purchase.refunded.v1"
    case eventPublished = "event.published.v1"
    case ticketIssued = "ticket.issued.v1"

    /// What a message asks of its reader, which decides the exchange it travels through.
    package enum Role: Sendable { case command, reply, event, answer }

    package var role: Role {
        switch self {
        case .purchaseStart, .purchaseCancel, .eventPublish, .reserve, .confirm, .release, .stock, .charge, .close,
            .refund, .schedule, .unschedule, .notify, .observe:
            .command
        case .reserved, .reservationRefused, .confirmed, .released, .captured, .declined, .closed, .refunded,
            .elapsed, .delivered, .notificationFailed:
            .reply
        case .purchaseStarted, .purchaseCompleted, .purchaseRefused, .purchaseRefunded, .eventPublished,
            .ticketIssued:
            .event
        case .purchaseAccepted, .purchaseRejected:
            .answer
        }
    }

    /// The process that a command is for; the other roles have none.
    package var owner: FleetRole? {
        switch self {
        case .purchaseStart, .purchaseCancel, .eventPublish: .orchestrator
        case .reserve, .confirm, .release, .stock: .reservation
        case .charge, .close, .refund: .payment
        case .schedule, .unschedule: .expiry
        case .notify: .notification
        case .observe: .recommendation
        case .reserved, .reservationRefused, .confirmed, .released, .captured, .declined, .closed, .refunded,
            .elapsed, .delivered, .notificationFailed, .purchaseStarted, .purchaseCompleted, .purchaseRefused,
            .purchaseRefunded, .eventPublished, .ticketIssued, .purchaseAccepted, .purchaseRejected:
            nil
        }
    }

    /// The worker that must know of an event, whoever else listens.
    package var learner: FleetRole? { self == .eventPublished ? .recommendation : nil }

    /// Whether systems outside the fleet send it, and choose its id.
    package var isFromOutside: Bool {
        switch self {
        case .purchaseStart, .purchaseCancel, .eventPublish, .observe: true
        case .reserve, .confirm, .release, .stock, .charge, .close, .refund, .schedule, .unschedule, .notify, .reserved,
            .reservationRefused, .confirmed, .released, .captured, .declined, .closed, .refunded, .elapsed, .delivered,
            .notificationFailed, .purchaseStarted, .purchaseCompleted, .purchaseRefused, .purchaseRefunded,
            .eventPublished, .ticketIssued, .purchaseAccepted, .purchaseRejected:
            false
        }
    }

    /// The kind without its version: an event's routing key.
    package var subject: String {
        String(rawValue[..<(rawValue.lastIndex(of: ".") ?? rawValue.endIndex)])
    }
}

/// The processes of the fleet; each owns a queue, a database schema and a database role of its name.
package enum FleetRole: String, Sendable, CaseIterable, Codable {
    case orchestrator, reservation, payment, notification, expiry, recommendation

    package static let workers: [FleetRole] = [.reservation, .payment, .notification, .expiry, .recommendation]
}
