import Contracts
import FoundationEssentials
import WireJSON

/// The JSON of the messages that a purchase exchanges.
enum Codec {
    private static let start = StartPurchase(
        userId: "ada", eventId: EventID.make(), tier: "Floor", quantity: 2, email: "ada@example.com")
    private static let reserve = ReserveSeats(
        eventId: EventID.make(), tier: "Floor", quantity: 2, seats: nil, holdSeconds: 900)
    private static let reserved = SeatsReserved(seats: [], deadline: Date(timeIntervalSince1970: 2_000_000_000))
    private static let charge = ChargePayment(amount: Money(currency: "EUR", minor: 2_000), method: "sim_ok")
    private static let captured = PaymentCaptured(
        chargeId: "sim_0199aaaa-0000-7000-8000-000000000000", amount: Money(currency: "EUR", minor: 2_000))
    private static let schedule = ScheduleTimer(subject: "hold", dueAt: Date(timeIntervalSince1970: 2_000_000_000))
    private static let completed = PurchaseCompleted(
        sagaId: SagaID.make(), eventId: EventID.make(), userId: "ada", amount: Money(currency: "EUR", minor: 2_000),
        tickets: [
            IssuedTicket(id: TicketID.make(), tier: "Floor", seat: nil),
            IssuedTicket(id: TicketID.make(), tier: "Floor", seat: nil),
        ])

    /// One repetition writes each of seven payloads.
    static func encode(_ count: Int) throws {
        for _ in 0..<count {
            guard try bodies().count == 7 else { throw WentWrong() }
        }
    }

    /// One repetition reads each of seven payloads.
    static func decode(_ count: Int) throws {
        let bodies = try bodies()
        for _ in 0..<count {
            guard try WireFormat.decode(StartPurchase.self, from: bodies[0]) == start,
                try WireFormat.decode(ReserveSeats.self, from: bodies[1]) == reserve,
                try WireFormat.decode(SeatsReserved.self, from: bodies[2]) == reserved,
                try WireFormat.decode(ChargePayment.self, from: bodies[3]) == charge,
                try WireFormat.decode(PaymentCaptured.self, from: bodies[4]) == captured,
                try WireFormat.decode(ScheduleTimer.self, from: bodies[5]) == schedule,
                try WireFormat.decode(PurchaseCompleted.self, from: bodies[6]) == completed
            else { throw WentWrong() }
        }
    }

    private static func bodies() throws -> [Data] {
        [
            try WireFormat.encode(start), try WireFormat.encode(reserve), try WireFormat.encode(reserved),
            try WireFormat.encode(charge), try WireFormat.encode(captured), try WireFormat.encode(schedule),
            try WireFormat.encode(completed),
        ]
    }
}
