import Contracts
import FleetRuntime
import TestKit
import Testing

@testable import Payment

/// Every state there is, and every answer, for tests that try them all.
let states: [Charge.State] = [
    .open, .captured(id: "a"), .declined(reason: "no"), .closing, .closed, .refunding(id: "a"), .refunded(id: "a"),
]
private let errors: [ProviderError] = [.timedOut, .unavailable("x"), .failed("x"), .notAsked]
let answers: [ProviderAnswer] =
    [
        .charge(.captured(id: "a")), .charge(.captured(id: "b")), .charge(.declined(reason: "no")), .charge(.pending),
        .close(.closed), .close(.captured(id: "a")), .close(.captured(id: "b")), .close(.declined(reason: "no")),
        .refund(.refunded), .refund(.pending),
    ] + Charge.Operation.allCases.flatMap { operation in errors.map { .unknown(operation, $0) } }

func command(_ operation: Charge.Operation) -> Charge.Command {
    Charge.Command(operation: operation, id: MessageID.make(), step: 1, traceparent: nil)
}

private func target(of verdict: ChargeRules.Verdict, from state: Charge.State) -> Charge.State {
    switch verdict {
    case .move(let next), .contradiction(let next): next
    case .askAgain, .keep: state
    }
}

struct ChargeRulesTests {
    @Test(arguments: states, answers)
    func `money once taken is never forgotten, nor taken twice`(_ state: Charge.State, _ answer: ProviderAnswer) {
        for operation in Charge.Operation.allCases {
            let next = target(of: ChargeRules.judge(answer, in: state, owing: operation), from: state)
            if let id = state.providerID { #expect(next.providerID == id) }
        }
    }

    @Test(arguments: states, answers)
    func `an answer that money was taken always stands in the books`(_ state: Charge.State, _ answer: ProviderAnswer) {
        guard answer.outcome == .captured else { return }
        for operation in Charge.Operation.allCases {
            let next = target(of: ChargeRules.judge(answer, in: state, owing: operation), from: state)
            #expect(next.providerID != nil)
        }
    }

    @Test(arguments: states, answers)
    func `only a contradiction moves a finished charge, and only to money`(
        _ state: Charge.State, _ answer: ProviderAnswer
    ) {
        guard state.isFinished else { return }
        for operation in Charge.Operation.allCases {
            switch ChargeRules.judge(answer, in: state, owing: operation) {
            case .move, .askAgain: Issue.record("\(state) was moved by \(answer)")
            case .contradiction(let next): #expect(next == state || next.providerID != nil)
            case .keep: break
            }
        }
    }

    @Test(arguments: states, answers)
    func `the answer to the question that was due moves the charge or asks again`(
        _ state: Charge.State, _ answer: ProviderAnswer
    ) {
        guard answer.operation == ChargeRules.question(in: state) else { return }
        for operation in Charge.Operation.allCases {
            switch ChargeRules.judge(answer, in: state, owing: operation) {
            case .move(let next): #expect(next != state)
            case .askAgain: #expect(next(answer))
            case .keep, .contradiction: Issue.record("\(state) did nothing with \(answer)")
            }
        }
        func next(_ answer: ProviderAnswer) -> Bool {
            if case .unknown = answer { true } else { answer.outcome == .pending }
        }
    }

    @Test(arguments: states, Charge.Operation.allCases)
    func `a command ends an open charge or refunds a captured one, and changes nothing else`(
        _ state: Charge.State, _ operation: Charge.Operation
    ) {
        let next = ChargeRules.accept(operation, in: state)
        switch (operation, state) {
        case (.close, .open), (.refund, .open): #expect(next == .closing)
        case (.refund, .captured(let id)): #expect(next == .refunding(id: id))
        default: #expect(next == state)
        }
    }

    @Test func `a charge that is refused while it is being closed waits for the close`() {
        let verdict = ChargeRules.judge(.charge(.declined(reason: "no")), in: .closing, owing: .close)
        #expect(verdict == .keep)
    }

    @Test func `a capture that is found while closing for a refund goes straight back`() {
        let verdict = ChargeRules.judge(.close(.captured(id: "a")), in: .closing, owing: .refund)
        #expect(verdict == .move(to: .refunding(id: "a")))
    }

    @Test func `a second provider id is a contradiction, and the first one stays`() {
        let verdict = ChargeRules.judge(.charge(.captured(id: "b")), in: .captured(id: "a"), owing: .charge)
        #expect(verdict == .contradiction(leaving: .captured(id: "a")))
    }
}

struct ReachableChargesTests {
    /// Every charge that any sequence of commands and answers can lead to.
    private static let reachable: Set<Shape> = {
        var known: Set<Shape> = []
        var frontier = [Shape(.open, .charge), Shape(.closed, .close), Shape(.closed, .refund)]
        while let shape = frontier.popLast() {
            guard known.insert(shape).inserted else { continue }
            frontier += shape.successors
        }
        return known
    }()

    private struct Shape: Hashable {
        let state: Charge.State
        let owed: Charge.Operation

        init(_ state: Charge.State, _ owed: Charge.Operation) {
            self.state = state
            self.owed = owed
        }

        var charge: Charge {
            Charge(
                sagaID: .make(), terms: Charge.Terms(amount: euros, method: "sim_ok"), state: state,
                owed: command(owed))
        }

        var successors: [Shape] {
            let charge = charge
            let commanded = Charge.Operation.allCases.map { charge.accepting(command($0)) }
            let answered = answers.map { answer in
                charge.moved(to: target(of: ChargeRules.judge(answer, in: state, owing: owed), from: state))
            }
            return (commanded + answered).map { Shape($0.state, $0.owed.operation) }
        }
    }

    @Test func `whoever is owed an answer gets one when the charge is finished, and not before`() {
        for shape in Self.reachable {
            let news = ChargeNews(for: shape.owed, of: shape.charge)
            #expect((news != nil) == shape.state.isFinished, "\(shape)")
        }
    }

    @Test func `an unfinished charge owes the command that its question serves`() {
        for shape in Self.reachable {
            switch shape.state {
            case .open: #expect(shape.owed == .charge)
            case .closing: #expect(shape.owed != .charge)
            case .refunding: #expect(shape.owed == .refund)
            case .captured, .declined, .closed, .refunded: break
            }
        }
    }

    @Test func `every state can be reached`() {
        #expect(Set(Self.reachable.map(\.state.status)) == Set(states.map(\.status)))
    }
}
