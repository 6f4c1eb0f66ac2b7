import Contracts
import FoundationEssentials

extension PurchaseSaga {
    package static let overdue = PurchaseInput.stepTimedOut

    /// The expiry worker's name for the one timer a purchase needs.
    static let holdTimer = "hold"

    package static func input(from envelope: Envelope) throws -> PurchaseInput? {
        switch envelope.kind {
        case .reserved:
            let reply = try envelope.decode(SeatsReserved.self)
            return .reserved(seats: reply.seats, deadline: reply.deadline)
        case .reservationRefused:
            let reply = try envelope.decode(SeatsRefused.self)
            switch reply.command {
            case .reserve: return .reservationRefused(reason: reply.reason.rawValue, available: reply.available)
            case .confirm: return .confirmRefused(reason: reply.reason.rawValue)
            }
        case .confirmed: return .confirmed(tickets: try envelope.decode(SeatsConfirmed.self).tickets)
        case .released: return .released
        case .captured: return .captured(chargeID: try envelope.decode(PaymentCaptured.self).chargeId)
        case .declined: return .declined(reason: try envelope.decode(PaymentDeclined.self).reason)
        case .closed: return .closed
        case .refunded: return .refunded
        case .elapsed: return try envelope.decode(TimerElapsed.self).subject == holdTimer ? .holdExpired : nil
        case .delivered, .notificationFailed: return .notified
        case .purchaseCancel: return .cancelRequested
        case .purchaseStart, .eventPublish, .purchaseAccepted, .purchaseRejected, .reserve, .confirm, .release,
            .stock, .charge, .close, .refund, .schedule, .unschedule, .notify, .observe, .purchaseStarted,
            .purchaseCompleted, .purchaseRefused, .purchaseRefunded, .eventPublished, .ticketIssued:
            return nil
        }
    }

    package static func messages(
        for effect: PurchaseEffect, of saga: SagaView<PurchaseSaga>
    ) throws -> [OutgoingMessage] {
        let request = saga.request
        switch effect {
        case .reserve:
            return [
                try saga.command(
                    ReserveSeats(
                        eventId: request.eventId, tier: request.tier, quantity: request.quantity,
                        seats: request.seats, holdSeconds: request.holdSeconds))
            ]
        case .charge: return [try saga.command(ChargePayment(amount: request.amount, method: request.paymentMethod))]
        case .scheduleExpiry:
            return try saga.timerDeadline.map { [try saga.command(ScheduleTimer(subject: holdTimer, dueAt: $0))] } ?? []
        case .cancelExpiry:
            return saga.timerDeadline == nil ? [] : [try saga.command(CancelTimer(subject: holdTimer))]
        case .closePayment: return [try saga.command(ClosePayment(reason: saga.reason))]
        case .confirm: return [try saga.command(ConfirmSeats(userId: request.userId))]
        case .release:
            // A purchase that ends before its seats were held may not have been announced yet.
            let started = saga.facts.deadline == nil ? [try started(saga)] : []
            return started + [try saga.command(ReleaseSeats(reason: saga.reason))]
        case .refund: return [try saga.command(RefundPayment(amount: request.amount, reason: saga.reason))]
        case .announceStarted: return try announceStarted(saga)
        case .announceCompleted:
            return try saga.outcome(
                PurchaseCompleted(
                    sagaId: saga.id, eventId: request.eventId, userId: request.userId, amount: request.amount,
                    tickets: saga.facts.tickets))
        case .announceRefused:
            return try saga.outcome(
                PurchaseRefused(
                    sagaId: saga.id, eventId: request.eventId, userId: request.userId, reason: saga.reason,
                    available: saga.state.available))
        case .announceRefunded:
            return try saga.outcome(
                PurchaseRefunded(
                    sagaId: saga.id, eventId: request.eventId, userId: request.userId, amount: request.amount))
        case .notify: return try notify(saga)
        }
    }

    private static func announceStarted(_ saga: SagaView<PurchaseSaga>) throws -> [OutgoingMessage] {
        let event = try started(saga)
        // The watchdog repeats only what a start over HTTP may have lost; a start's message is told before it is settled.
        guard saga.causationID != nil, let answer = try saga.answer(PurchaseAccepted(sagaId: saga.id)) else {
            return [event]
        }
        return [event, answer]
    }

    /// The event has one id, whoever tells it and when.
    private static func started(_ saga: SagaView<PurchaseSaga>) throws -> OutgoingMessage {
        let request = saga.request
        return try saga.event(
            PurchaseStarted(
                sagaId: saga.id, eventId: request.eventId, userId: request.userId, quantity: request.quantity,
                amount: request.amount), ofStep: firstStep)
    }

    private static let firstStep = 1

    private static func notify(_ saga: SagaView<PurchaseSaga>) throws -> [OutgoingMessage] {
        let template: SendNotification.Template
        switch saga.state {
        case .completed: template = .purchaseCompleted
        case .refunded: template = .purchaseRefunded
        case .refused: template = .purchaseRefused
        case .reserving, .charging, .confirming, .closing, .unwinding: return []
        }
        let request = saga.request
        return [
            try saga.command(
                SendNotification(
                    template: template, userId: request.userId, email: request.email, eventId: request.eventId,
                    amount: request.amount, reason: saga.state.reason, tickets: saga.facts.tickets))
        ]
    }
}

extension SagaView<PurchaseSaga> {
    fileprivate var reason: String { state.reason ?? state.tag }

    /// The hold's deadline where there may be a timer for it, or must be one from now on.
    ///
    /// Nearly every purchase is paid within moments. So a timer is noted when the watchdog first asks again, and at the
    /// start only where the hold ends soon after that. A timer whose cancel is left out rings for nothing.
    fileprivate var timerDeadline: Date? {
        facts.deadline.flatMap { attempts > 0 || $0 < now.addingTimeInterval(2 * stepTimeout) ? $0 : nil }
    }

    fileprivate func command(_ payload: some Message) throws -> OutgoingMessage {
        OutgoingMessage(try envelope(payload), to: .owner)
    }

    fileprivate func event(_ payload: some Message, ofStep step: Int? = nil) throws -> OutgoingMessage {
        OutgoingMessage(try envelope(payload, ofStep: step), to: .listeners)
    }

    /// An outcome is told to everybody, and to the upstream system that asked.
    ///
    /// It is told again while the buyer's notification is overdue, in case the broker has lost both; not for ever, for it is
    /// told before what led to it is settled.
    fileprivate func outcome(_ payload: some Message) throws -> [OutgoingMessage] {
        guard causationID != nil || attempts <= Self.repeatsOfOutcome else { return [] }
        let event = try event(payload)
        guard let answer = try answer(payload) else { return [event] }
        return [event, answer]
    }

    fileprivate func answer(_ payload: some Message) throws -> OutgoingMessage? {
        guard let queue = request.replyTo else { return nil }
        var envelope = try envelope(payload)
        envelope.correlationID = request.correlationID ?? id.description
        return OutgoingMessage(envelope, to: .upstream(queue: queue))
    }

    private static let repeatsOfOutcome = 2

    private func envelope<Payload: Message>(_ payload: Payload, ofStep earlier: Int? = nil) throws -> Envelope {
        let step = earlier ?? step
        return try Envelope(
            id: .derived(from: id, step: step, kind: Payload.kind), payload, sagaID: id, step: step,
            causationID: causationID, occurredAt: now, traceparent: traceparent)
    }
}
