/// What a purchase asks of the fleet.
package enum PurchaseEffect: String, Sendable, CaseIterable {
    case reserve
    case charge
    case scheduleExpiry = "schedule-expiry"
    case cancelExpiry = "cancel-expiry"
    case closePayment = "close-payment"
    case confirm
    case release
    case refund
    case announceStarted = "announce-started"
    case announceCompleted = "announce-completed"
    case announceRefused = "announce-refused"
    case announceRefunded = "announce-refunded"
    case notify
}

extension PurchaseEffect: SagaEffect {
    package var name: String { rawValue }

    package init?(name: String) {
        self.init(rawValue: name)
    }

    package var isAnnouncement: Bool {
        switch self {
        case .announceStarted, .announceCompleted, .announceRefused, .announceRefunded, .notify: true
        case .reserve, .charge, .scheduleExpiry, .cancelExpiry, .closePayment, .confirm, .release, .refund:
            false
        }
    }
}
