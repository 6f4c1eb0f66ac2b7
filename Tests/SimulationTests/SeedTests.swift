import SagaCore
import Simulation
import Testing

@Suite struct `The unbroken fleet` {
    @Test func `keeps every promise in a few hundred storms`() {
        for seed in 10_000..<UInt64(10_300) {
            let report = Simulation<PurchaseSaga>().run(seed: seed)
            #expect(report.violations.isEmpty, "compose/dev sim --seed \(seed)")
        }
    }

    @Test func `does the same to the byte when the seed is the same`() {
        for seed in UInt64(1)...10 {
            let first = Simulation<PurchaseSaga>().run(seed: seed, recorded: true)
            let second = Simulation<PurchaseSaga>().run(seed: seed, recorded: true)
            #expect(first.history == second.history, "seed \(seed)")
            #expect(first.history.count > 20)
        }
    }

    @Test func `does something else when the seed is another`() {
        let first = Simulation<PurchaseSaga>().run(seed: 1, recorded: true)
        let second = Simulation<PurchaseSaga>().run(seed: 2, recorded: true)
        #expect(first.history != second.history)
    }
}
