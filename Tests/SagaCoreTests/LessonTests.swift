import Contracts
import FoundationEssentials
import SagaCore
import Testing

/// What lets a verification replay a journal without reading what its inputs carry.
@Suite struct `An input that only teaches` {
    private static let other: [PurchaseInput] = [
        .reserved(seats: [], deadline: Date(timeIntervalSince1970: 2_000)), .captured(chargeID: "ch_2"),
        .confirmed(tickets: []),
    ]

    @Test(arguments: Universe.states) func `leads to the same whatever it carries`(_ state: PurchaseState) {
        for input in Self.other {
            let example = Universe.inputs.first { $0.name == input.name && $0 != input }
            #expect(example.map { PurchaseSaga.step(state, on: $0) } == PurchaseSaga.step(state, on: input))
        }
    }

    @Test func `is every input that teaches, and no other`() {
        let teaching = Universe.inputs.filter { input in
            var facts = PurchaseSaga.noFacts
            PurchaseSaga.learn(input, into: &facts)
            return facts != PurchaseSaga.noFacts
        }
        #expect(Set(teaching.map(\.name)) == Set(PurchaseSaga.lessons))
        #expect(Set(Self.other.map(\.name)) == Set(PurchaseSaga.lessons))
    }
}
