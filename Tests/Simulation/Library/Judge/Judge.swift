import Contracts
import Engine
import FoundationEssentials
import Notification
import Operations
import OrchestratorService
import Payment
import RabbitMQ
import Reservation
import SagaCore
import Topology

/// Says what is wrong with a fleet that has come to rest: the invariants I1 to I6.
struct Judge<Definition: PurchaseDefinition> {
    let fleet: SimulatedFleet<Definition>
    let promises: Promises

    var violations: [String] {
        stock + losses + money + books + endings + histories + effects + interest + leftovers + kept + answers + places
    }

    private var sagas: [SagaRecord<Definition>] {
        fleet.orchestrator.tables.sagas.values.map(\.record).sorted { $0.id < $1.id }
    }

    /// I1 and I2, and that nothing is held when every purchase has ended.
    private var stock: [String] {
        let tables = fleet.reservation.tables
        return StockJudge.violations(in: tables)
            + tables.tiers.values.filter { $0.held != 0 }.map {
                "I2: \($0.held) places in \($0.id.name) are held for ever"
            }
            .sorted()
    }

    /// I3: a completed purchase has its tickets and one capture of its price; every other one has neither.
    private var money: [String] {
        let kept = Dictionary(
            grouping: fleet.provider.all.filter { $0.status == .captured }, by: { String($0.payment.key.prefix(36)) })
        let tickets = Dictionary(
            grouping: fleet.reservation.tables.tickets.values.filter(\.isValid), by: \.ticket.saga)
        return sagas.flatMap { saga in
            let captures = kept[saga.id.description] ?? []
            let valid = tickets[saga.id]?.count ?? 0
            let due = saga.state == .completed ? 1 : 0
            var found: [String] = []
            if captures.count != due {
                found.append("I3: \(saga.id) is \(saga.state.tag) and \(captures.count) captures are kept")
            }
            if valid != due * saga.request.quantity {
                found.append("I3: \(saga.id) is \(saga.state.tag) and has \(valid) tickets")
            }
            if captures.contains(where: { $0.payment.amount != saga.request.amount }) {
                found.append("I3: \(saga.id) paid another price")
            }
            return found
        }
    }

    /// No seats are lost between the capture and the tickets: a hold is given back by its release alone.
    private var losses: [String] {
        sagas.filter { $0.state == .refused(.seatsLost) }.map {
            "I1: the seats of \($0.id) were lost after it had paid"
        }
    }

    /// I6: interest counts once, however often its message came.
    private var interest: [String] {
        let shown = promises.interest
        return fleet.recommendation.tables.interests.filter { $0.value > shown[$0.key, default: 0] }
            .map { "I6: the interest of \($0.key) counts \($0.value)" }.sorted()
    }

    /// I3: our books say of the money what the provider says.
    private var books: [String] {
        let said = Dictionary(fleet.provider.all.map { ($0.payment.key, $0.status) }) { first, _ in first }
        return fleet.payment.tables.charges.values.map(\.charge).sorted { $0.sagaID < $1.sagaID }.compactMap { charge in
            let agrees =
                switch charge.state {
                case .captured: said[charge.idempotencyKey] == .captured
                case .refunded: said[charge.idempotencyKey] == .refunded
                case .declined, .closed:
                    said[charge.idempotencyKey].map { $0 != .captured && $0 != .refunded } ?? true
                case .open, .closing, .refunding: true
                }
            guard !agrees else { return nil }
            let status = said[charge.idempotencyKey].map { "\($0)" } ?? "unknown"
            return "I3: the charge of \(charge.sagaID) is \(charge.state.tag), and \(status) to the provider"
        }
    }

    /// I4: every purchase has ended and waits for nothing.
    private var endings: [String] {
        sagas.flatMap { saga -> [String] in
            guard saga.state.outcome != nil else { return ["I4: \(saga.id) is still \(saga.state.tag)"] }
            return saga.wakeAt == nil ? [] : ["I4: \(saga.id) is \(saga.state.tag) and was never told of"]
        } + sagas.filter { untold($0) }.map { "I4: the buyer of \($0.id) was not told that it is \($0.state.tag)" }
    }

    private func untold(_ saga: SagaRecord<Definition>) -> Bool {
        let letters = fleet.notification.tables.letters.filter { $0.key.sagaID == saga.id }
        return !letters.contains { key, row in
            key.template.rawValue == "purchase-\(saga.state.tag)" && row.status != .pending
        }
    }

    /// I5: each journal counts from one without a gap, and replaying it gives what is stored.
    private var histories: [String] {
        let journal = fleet.orchestrator.tables.journal
        return sagas.flatMap { saga -> [String] in
            var state: PurchaseState?
            var facts = Definition.noFacts
            var found: [String] = []
            let entries = journal[saga.id] ?? []
            for (number, entry) in entries.enumerated() {
                if entry.version != number + 1 { found.append("I5: \(saga.id) has no version \(number + 1)") }
                if entry.from != state?.tag { found.append("I5: \(saga.id) came from \(entry.from ?? "nothing")") }
                switch Definition.step(state, on: entry.input) {
                case .move(let next, let effects):
                    if next != entry.to || effects != entry.effects { found.append("I5: \(saga.id) took another step") }
                case .stay(let effects):
                    if state != entry.to || effects != entry.effects {
                        found.append("I5: \(saga.id) took another step")
                    }
                case .ignore: found.append("I5: \(saga.id) took a step on \(entry.input.name) that leads nowhere")
                }
                state = entry.to
                Definition.learn(entry.input, into: &facts)
            }
            if state != saga.state || facts != saga.facts || entries.count != saga.version {
                found.append("I5: replaying \(saga.id) gives \(state?.tag ?? "nothing"), stored is \(saga.state.tag)")
            }
            return found
        }
    }

    /// I6: a purchase is charged once and its letters are on record once; a letter on record has arrived.
    private var effects: [String] {
        let charges = Dictionary(grouping: fleet.provider.all.filter { $0.calls > 0 }) { $0.payment.key.prefix(36) }
        let twice = charges.filter { $0.value.count > 1 }.map { "I6: \($0.key) was charged \($0.value.count) times" }
        let arrived = fleet.letterboxes.contents
        let missing = fleet.notification.tables.letters.filter {
            $0.value.status == .delivered && arrived[$0.key] == nil
        }
        .map { "I6: a letter of \($0.key.sagaID) is on record and never arrived" }
        return (twice + missing).sorted()
    }

    /// What nobody works on any more although nothing is wrong with it.
    private var leftovers: [String] {
        var found: [String] = []
        for queue in Queue.all where queue != .commands(of: .notification) {
            found += fleet.broker.contents(of: queue.dead).map { publication in
                "I7: \(publication.label) was buried: \(publication.properties.headers["deadLettered-because"].map { "\($0)" } ?? "?")"
            }
        }
        found += fleet.payment.tables.charges.values.filter { !$0.charge.state.isFinished }
            .map { "I4: the charge of \($0.charge.sagaID) is still \($0.charge.state.tag)" }.sorted()
        if !fleet.orchestrator.tables.outbox.isEmpty { found.append("I7: the outbox is not empty") }
        return found
    }

    /// I7: the recommendation worker knows every event that is on sale.
    private var places: [String] {
        let known = fleet.recommendation.tables.places
        return fleet.orchestrator.tables.events.keys.filter { known[$0] == nil }.sorted()
            .map { "I7: the recommendation worker never heard of the event \($0)" }
    }

    /// I8: the outcome that an upstream system asked for is in its queue, or kept until that takes it.
    private var answers: [String] {
        guard !fleet.universe.hasTakenMessagesAway else { return [] }
        let told = Set(fleet.broker.contents(of: Stage.fullQueue).compactMap(\.properties.messageID))
        let kept = Set(
            fleet.orchestrator.tables.undelivered.values.filter { $0.answer.queue == Stage.fullQueue }
                .map(\.answer.message.description))
        return sagas.filter { $0.request.replyTo == Stage.fullQueue }.compactMap { saga in
            guard let kind = saga.state.answer else { return nil }
            let id = MessageID.derived(from: saga.id, step: saga.step, kind: kind).description
            return told.contains(id) || kept.contains(id)
                ? nil : "I8: nobody keeps that \(saga.id) is \(saga.state.tag)"
        }
    }

    /// I8: what a buyer was promised is there, and no key bought twice.
    private var kept: [String] {
        let tables = fleet.orchestrator.tables
        return promises.broken.map { "I8: \($0)" }
            + promises.accepted.sorted { $0.key < $1.key }.filter { tables.sagas[$0.value] == nil }
            .map { "I8: \($0.key) was promised \($0.value), which does not exist" }
            + sagas.filter { promises.turnedBack.contains($0.id) && $0.state == .completed }
            .map { "I8: \($0.id) was to be turned back, and is completed" }
            + sagas.filter { promises.refunded.contains($0.id) && $0.state != .refunded }
            .map { "I8: \($0.id) was to be refunded, and is \($0.state.tag)" }
    }
}

extension PurchaseState {
    /// How an upstream system is told of it; nil while the purchase is open.
    fileprivate var answer: MessageKind? {
        switch self {
        case .completed: .purchaseCompleted
        case .refused: .purchaseRefused
        case .refunded: .purchaseRefunded
        case .reserving, .charging, .confirming, .closing, .unwinding: nil
        }
    }
}
