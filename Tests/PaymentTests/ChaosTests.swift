import Chance
import Connections
import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import RabbitMQ
import TestKit
import Testing

@testable import Payment

/// Two replicas, commands in any order and number, processes that die between any two steps; then the books are read.
@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(5)))
struct ChaosTests {
    private static let methods = [
        "sim_ok", "sim_declined", "sim_timeout_after_charge", "sim_flaky", "sim_slow:20", "sim_never", "sim_late",
    ]

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `whatever happens, each purchase is charged once, and told the truth`(_ seed: UInt64) async throws {
        try await withRig { rig async throws in
            let rigs = [rig, Rig(rig.database)]
            let customers = (0..<30).map { Customer(method: Self.methods[$0 % Self.methods.count]) }
            var random = SeededChance(seed: seed)
            var heard: [Envelope] = []
            for _ in 0..<120 {
                let replica = rigs[Int.random(in: 0...1, using: &random)]
                let batch = try (1...Int.random(in: 1...12, using: &random)).map { _ in
                    try customers[Int.random(in: 0..<30, using: &random)].anyCommand(using: &random)
                }
                heard += try await step(Int.random(in: 0...6, using: &random), batch, replica)
            }
            heard += try await heal(rigs, customers)
            for rig in rigs { heard += try rig.outlet.publications.map(Self.envelope) }
            try await check(customers, heard, rig)
        }
    }

    /// Does something whole, or something that breaks off.
    private func step(_ choice: Int, _ batch: [Envelope], _ rig: Rig) async throws -> [Envelope] {
        switch choice {
        case 0:
            _ = try await rig.ledger.transact { try await rig.worker.prepare(distinct(batch), in: $0) }
            return []
        case 1:
            let attempts = try await rig.ledger.transact { try await rig.worker.prepare(distinct(batch), in: $0) }
            _ = await rig.worker.carryOut(attempts)
            return []
        case 2:
            rig.outlet.die()
            try await rig.makeDue()
            await #expect(throws: Never.self) {
                do { _ = try await rig.sweep.runOnce() } catch is FakeOutlet.Dead { return }
            }
            rig.outlet.live()
            return []
        case 3:
            try await rig.makeDue()
            _ = try await rig.sweep.runOnce()
            return []
        default:
            return try await rig.handler.handle(batch).flatMap(messages)
        }
    }

    /// Sweeps until nothing is due, then brings every command once more, in the order of the saga.
    private func heal(_ rigs: [Rig], _ customers: [Customer]) async throws -> [Envelope] {
        for customer in customers { _ = try await rigs[0].handler.handle([customer.charge(), customer.close()]) }
        var rounds = 0
        while try await rigs[0].countDue() > 0, rounds < 200 {
            try await rigs[0].makeDue()
            for rig in rigs { _ = try await rig.sweep.runOnce() }
            rounds += 1
        }
        var heard: [Envelope] = []
        for customer in customers {
            let answers = try await rigs[0].handler.handle([customer.close()]).flatMap(messages)
            #expect(answers.count == 1 || customer.wantsRefund, "the close of \(customer.method) was not answered")
            heard += answers
            if customer.wantsRefund {
                let answers = try await rigs[0].handler.handle([customer.refund()]).flatMap(messages)
                #expect(answers.map(\.kind) == [.refunded], "the refund of \(customer.method) was not answered")
                heard += answers
            }
        }
        return heard
    }

    private func check(_ customers: [Customer], _ heard: [Envelope], _ rig: Rig) async throws {
        #expect(try await rig.countDue() == 0)
        for customer in customers {
            let answers = heard.filter { $0.sagaID == customer.buyer.saga }
            let kinds = Set(answers.map(\.kind))
            for answer in answers { #expect(answer.id == customer.buyer.answer(answer.kind)) }
            let endings = kinds.intersection([.captured, .declined, .closed])
            #expect(endings.count <= 1, "\(customer.method) was told \(endings)")
            let provider = try await rig.provider(customer.buyer)?.status
            #expect(try await rig.status(of: customer.buyer) == (provider ?? "closed"))
            let hasMoney = provider == "captured" || provider == "refunded"
            if kinds.contains(.captured) { #expect(hasMoney) }
            if kinds.contains(.closed) || kinds.contains(.declined) { #expect(!hasMoney) }
            if kinds.contains(.refunded) { #expect(provider != "captured") }
        }
    }

    private static func envelope(_ publication: Publication) throws -> Envelope {
        let properties = publication.properties
        let id = try #require(properties.messageID.flatMap { MessageID($0) })
        let kind = try #require(properties.type.flatMap(MessageKind.init))
        return Envelope(
            id: id, kind: kind, sagaID: properties.correlationID.flatMap { SagaID($0) }, occurredAt: Date(),
            body: publication.body)
    }
}

/// A saga that may be cancelled and refunded in any order.
private final class Customer {
    let buyer = Buyer()
    let method: String
    private(set) var wantsRefund = false

    init(method: String) {
        self.method = method
    }

    func charge() throws -> Envelope { try buyer.charge(method) }
    func close() throws -> Envelope { try buyer.close() }
    func refund() throws -> Envelope { try buyer.refund() }

    func anyCommand(using random: inout SeededChance) throws -> Envelope {
        switch Int.random(in: 0...9, using: &random) {
        case 0: return try close()
        case 1:
            wantsRefund = true
            return try refund()
        default: return try charge()
        }
    }
}

private func distinct(_ batch: [Envelope]) -> [Envelope] {
    var seen: Set<MessageID> = []
    return batch.filter { seen.insert($0.id).inserted }
}

private func messages(of outcome: Outcome) -> [Envelope] {
    if case .reply(let messages) = outcome { messages.map(\.envelope) } else { [] }
}

extension Rig {
    fileprivate func countDue() async throws -> Int {
        try await owner.query(
            "SELECT count(*) FROM payment.charge WHERE next_check_at IS NOT NULL", as: Int.self
        ).reduce(0, +)
    }
}
