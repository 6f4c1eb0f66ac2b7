import Contracts
import FoundationEssentials
import Testing

@testable import Payment

struct OrderTests {
    private func envelope(_ kind: MessageKind, _ body: String, saga: SagaID? = .make()) -> Envelope {
        Envelope(id: .make(), kind: kind, sagaID: saga, occurredAt: Date(), body: Data(body.utf8))
    }

    @Test(arguments: [
        (MessageKind.charge, "{", "malformed-body"),
        (.charge, #"{"amount":{"currency":"EUR","minor":-1},"method":"sim_ok"}"#, "amount.minor"),
        (.charge, #"{"amount":{"currency":"eur","minor":1},"method":"sim_ok"}"#, "amount.currency"),
        (.charge, #"{"amount":{"currency":"EUR","minor":1},"method":""}"#, "method"),
        (.charge, #"{"amount":{"currency":"EUR","minor":1},"method":"a\u0000"}"#, "method"),
        (.charge, #"{"amount":{"currency":"EUR","minor":1.5},"method":"sim_ok"}"#, "malformed-body"),
        (.close, "{}", "malformed-body"),
        (.refund, #"{"reason":"cancelled"}"#, "malformed-body"),
        (.reserve, "{}", "unexpected-kind: reservation.reserve.v1"),
    ])
    func `what cannot be carried out says why`(_ kind: MessageKind, _ body: String, _ reason: String) {
        #expect {
            try PaymentCommand(envelope(kind, body))
        } throws: { error in
            (error as? PaymentCommand.Illegible)?.reason.contains(reason) == true
        }
    }

    @Test func `a command without a saga is refused`() {
        #expect {
            try PaymentCommand(envelope(.close, #"{"reason":"expired"}"#, saga: nil))
        } throws: { error in
            (error as? PaymentCommand.Illegible)?.reason.hasPrefix("missing-saga: ") == true
        }
    }

    @Test func `the longest method fits, a longer one does not`() throws {
        let buyer = Buyer()
        let longest = String(repeating: "x", count: Limits.paymentMethodLength)
        #expect(try PaymentCommand(buyer.charge(longest)).terms.method == longest)
        #expect(throws: PaymentCommand.Illegible.self) { try PaymentCommand(buyer.charge(longest + "x")) }
    }
}

struct SimulatedMethodTests {
    @Test(arguments: [
        ("sim_ok", SimulatedMethod.ok), ("sim_declined", .declined), ("sim_timeout_after_charge", .timeoutAfterCharge),
        ("sim_flaky", .flaky), ("sim_never", .never), ("sim_late", .late), ("sim_slow:250", .slow(milliseconds: 250)),
        ("sim_slow:0", .slow(milliseconds: 0)), ("sim_slow:", .unknown), ("sim_slow:-1", .unknown),
        ("sim_slow:99999999999999999999", .unknown), ("sim_slow:1e3", .unknown), ("SIM_OK", .unknown), ("", .unknown),
        ("pm_card_visa", .unknown),
    ])
    func `a token names a method`(_ token: String, _ method: SimulatedMethod) {
        #expect(SimulatedMethod(token: token) == method)
    }
}
