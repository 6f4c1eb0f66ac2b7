import Chance
import Foundation
import Testing

@testable import RabbitMQ

@Suite struct `Confirm tracker` {
    private func batch(_ count: Int, from first: Int = 0) -> [Publication] {
        (first..<(first + count)).map { message(id: "m-\($0)") }
    }

    private func message(id: String?, mandatory: Bool = true, key: String = "key") -> Publication {
        Publication(
            exchange: "exchange", routingKey: key, isMandatory: mandatory, properties: Properties(messageID: id),
            body: Data())
    }

    private func returned(_ publication: Publication) -> Delivery {
        Delivery(
            tag: 0, isRedelivered: false, exchange: publication.exchange, routingKey: publication.routingKey,
            properties: publication.properties, body: publication.body)
    }

    private let noRoute = Refusal.Reason.returned(code: 312, text: "NO_ROUTE")

    @Test func `single answers complete a batch in every order`() {
        for order in permutations([1, 2, 3, 4]) {
            var tracker = ConfirmTracker()
            let id = tracker.register(batch(4), sending: Array(0..<4), refused: [])
            for tag in order.dropLast() {
                #expect(tracker.settle(tag, isMultiple: false, isAccepted: true).isEmpty)
            }
            let outcomes = tracker.settle(order[3], isMultiple: false, isAccepted: true)
            #expect(outcomes.map(\.batch) == [id])
            #expect(outcomes.first?.refusals == [])
        }
    }

    @Test func `multiple answers complete a batch from every split`() {
        for split in UInt64(1)...9 {
            var tracker = ConfirmTracker()
            _ = tracker.register(batch(10), sending: Array(0..<10), refused: [])
            #expect(tracker.settle(split, isMultiple: true, isAccepted: true).isEmpty)
            let outcomes = tracker.settle(10, isMultiple: true, isAccepted: false)
            #expect(outcomes.first?.refusals == (Int(split)..<10).map { Refusal(index: $0, reason: .nacked) })
        }
    }

    @Test func `a multiple answer leaves earlier single answers as they were`() {
        var tracker = ConfirmTracker()
        _ = tracker.register(batch(4), sending: Array(0..<4), refused: [])
        #expect(tracker.settle(2, isMultiple: false, isAccepted: false).isEmpty)
        #expect(tracker.settle(3, isMultiple: false, isAccepted: true).isEmpty)
        let outcomes = tracker.settle(4, isMultiple: true, isAccepted: true)
        #expect(outcomes.first?.refusals == [Refusal(index: 1, reason: .nacked)])
    }

    @Test func `one multiple answer completes several batches in order`() {
        var tracker = ConfirmTracker()
        let first = tracker.register(batch(3), sending: Array(0..<3), refused: [])
        let second = tracker.register(batch(2), sending: Array(0..<2), refused: [])
        let third = tracker.register(batch(2), sending: Array(0..<2), refused: [])
        #expect(tracker.settle(6, isMultiple: true, isAccepted: true).map(\.batch) == [first, second])
        #expect(tracker.settle(7, isMultiple: false, isAccepted: true).map(\.batch) == [third])
    }

    @Test func `tag zero answers for all`() {
        var tracker = ConfirmTracker()
        let ids = [
            tracker.register(batch(3), sending: Array(0..<3), refused: []),
            tracker.register(batch(2), sending: Array(0..<2), refused: []),
        ]
        #expect(tracker.settle(0, isMultiple: true, isAccepted: true).map(\.batch) == ids)
    }

    @Test func `a later batch may finish first`() {
        var tracker = ConfirmTracker()
        let first = tracker.register(batch(2), sending: [0, 1], refused: [])
        let second = tracker.register(batch(1), sending: [0], refused: [])
        #expect(tracker.settle(3, isMultiple: false, isAccepted: true).map(\.batch) == [second])
        #expect(tracker.settle(2, isMultiple: true, isAccepted: true).map(\.batch) == [first])
    }

    @Test(arguments: [true, false]) func `a return turns the answer that follows into a refusal`(isMultiple: Bool) {
        var tracker = ConfirmTracker()
        let publications = batch(3)
        _ = tracker.register(publications, sending: [0, 1, 2], refused: [])
        tracker.refuse(returned: returned(publications[1]), code: 312, text: "NO_ROUTE")
        if !isMultiple {
            #expect(tracker.settle(2, isMultiple: false, isAccepted: true).isEmpty)
            #expect(tracker.settle(1, isMultiple: false, isAccepted: true).isEmpty)
        }
        let outcomes = tracker.settle(3, isMultiple: isMultiple, isAccepted: true)
        #expect(outcomes.first?.refusals == [Refusal(index: 1, reason: noRoute)])
    }

    @Test func `a return does not touch what is answered, not mandatory or different`() {
        var tracker = ConfirmTracker()
        let twin = message(id: "twin")
        let publications = [
            twin, message(id: "twin", mandatory: false), message(id: "twin", key: "other"), message(id: "x"), twin,
        ]
        _ = tracker.register(publications, sending: Array(0..<5), refused: [])
        #expect(tracker.settle(1, isMultiple: false, isAccepted: true).isEmpty)
        tracker.refuse(returned: returned(twin), code: 312, text: "NO_ROUTE")
        let outcomes = tracker.settle(5, isMultiple: true, isAccepted: true)
        #expect(outcomes.first?.refusals == [Refusal(index: 4, reason: noRoute)])
    }

    @Test func `publications that cannot be told apart are refused together`() {
        var tracker = ConfirmTracker()
        let twins = [message(id: nil), message(id: nil)]
        _ = tracker.register(twins, sending: [0, 1], refused: [])
        tracker.refuse(returned: returned(twins[0]), code: 312, text: "NO_ROUTE")
        let outcomes = tracker.settle(2, isMultiple: true, isAccepted: true)
        #expect(outcomes.first?.refusals.map(\.index) == [0, 1])
    }

    @Test func `what was not sent is refused beside the answers of the rest`() {
        var tracker = ConfirmTracker()
        let tooLong = Refusal(index: 1, reason: .returned(code: 311, text: "too long"))
        _ = tracker.register(batch(3), sending: [0, 2], refused: [tooLong])
        #expect(tracker.settle(1, isMultiple: false, isAccepted: true).isEmpty)
        let outcomes = tracker.settle(2, isMultiple: false, isAccepted: false)
        #expect(outcomes.first?.refusals == [tooLong, Refusal(index: 2, reason: .nacked)])
    }

    @Test func `unknown and repeated answers change nothing`() {
        var tracker = ConfirmTracker()
        #expect(tracker.settle(1, isMultiple: true, isAccepted: true).isEmpty)
        let id = tracker.register(batch(2), sending: [0, 1], refused: [])
        for tag in [0, 3, .max] as [UInt64] {
            #expect(tracker.settle(tag, isMultiple: false, isAccepted: false).isEmpty)
        }
        #expect(tracker.settle(1, isMultiple: false, isAccepted: true).isEmpty)
        #expect(tracker.settle(1, isMultiple: false, isAccepted: false).isEmpty)
        #expect(tracker.settle(2, isMultiple: false, isAccepted: true).map(\.batch) == [id])
        #expect(tracker.settle(2, isMultiple: true, isAccepted: true).isEmpty)
    }

    @Test func `a forgotten batch takes its answers with it`() {
        var tracker = ConfirmTracker()
        let first = tracker.register(batch(2), sending: [0, 1], refused: [])
        let second = tracker.register(batch(2), sending: [0, 1], refused: [])
        tracker.forget(first)
        #expect(tracker.settle(2, isMultiple: true, isAccepted: true).isEmpty)
        #expect(tracker.settle(4, isMultiple: true, isAccepted: true).map(\.batch) == [second])
    }

    @Test(arguments: 0..<200) func `random answers give every publication its own`(seed: UInt64) {
        var random = SeededChance(seed: seed)
        var tracker = ConfirmTracker()
        var owner: [(batch: Int, index: Int)] = []
        var expected: [Int: [Refusal]] = [:]
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let count = Int.random(in: 1...8, using: &random)
            let id = tracker.register(batch(count), sending: Array(0..<count), refused: [])
            owner += (0..<count).map { (id, $0) }
            expected[id] = []
        }
        var open = Set(owner.indices)
        var finished: [Int: [Refusal]] = [:]
        while let tag = open.randomElement(using: &random) {
            let isMultiple = Int.random(in: 0..<4, using: &random) == 0
            let isAccepted = Int.random(in: 0..<4, using: &random) != 0
            for settled in isMultiple ? open.filter({ $0 <= tag }) : [tag] {
                open.remove(settled)
                let (id, index) = owner[settled]
                if !isAccepted { expected[id]?.append(Refusal(index: index, reason: .nacked)) }
            }
            for outcome in tracker.settle(UInt64(tag) + 1, isMultiple: isMultiple, isAccepted: isAccepted) {
                #expect(finished.updateValue(outcome.refusals, forKey: outcome.batch) == nil)
            }
        }
        #expect(finished == expected.mapValues { $0.sorted { $0.index < $1.index } })
    }
}

private func permutations(_ tags: [UInt64]) -> [[UInt64]] {
    guard tags.count > 1 else { return [tags] }
    return tags.flatMap { tag in permutations(tags.filter { $0 != tag }).map { [tag] + $0 } }
}
