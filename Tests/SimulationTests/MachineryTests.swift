import Contracts
import FleetRuntime
import Foundation
import Postgres
import Simulation
import Synchronization
import Testing

@Suite struct `The simulated machinery` {
    @Test func `time jumps from one sleeper to the next, in the order of their moments`() {
        let universe = Universe(seed: 1, recorded: true)
        let isOver = universe.run {
            await withTaskGroup { group in
                for seconds in [30, 10, 20] {
                    group.addTask {
                        await universe.timeline.wait(for: .seconds(seconds))
                        universe.note("\(seconds)")
                    }
                }
            }
        }
        #expect(isOver)
        #expect(universe.history == ["10.000000 10", "20.000000 20", "30.000000 30"])
    }

    @Test func `a run in which nobody can go on comes to a standstill`() {
        let universe = Universe(seed: 1, recorded: false)
        let isOver = universe.run { await withCheckedContinuation { Self.forgotten.hold($0) } }
        #expect(!isOver)
        Self.forgotten.release()
        universe.executor.runReady()
    }

    @Test func `a process that died brings nothing about`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("expiry", ExpiryTables())
        let isOver = universe.run {
            let process = Incarnation("test", in: universe) {}
            let ledger = MemoryInboxStore(MemorySession(database, process))
            await #expect(throws: Vanished.self) {
                try await ledger.transact { transaction in
                    _ = try await ledger.recordedReplies(to: [], in: transaction)
                    process.die()
                    try await ledger.record([HandledMessage(id: .make(), replies: [])], in: transaction)
                }
            }
        }
        #expect(isOver)
        #expect(database.tables.inbox.isEmpty)
    }

    @Test func `a restart of the database ends open transactions`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("expiry", ExpiryTables())
        let isOver = universe.run {
            let ledger = MemoryInboxStore(MemorySession(database, Incarnation("test", in: universe) {}))
            await #expect(throws: PostgresError.self) {
                try await ledger.transact { transaction in
                    _ = try await ledger.recordedReplies(to: [], in: transaction)
                    database.stop()
                    database.recover()
                    try await ledger.record([HandledMessage(id: .make(), replies: [])], in: transaction)
                }
            }
        }
        #expect(isOver)
        #expect(database.tables.inbox.isEmpty)
    }

    @Test func `a commit whose answer is lost has happened in some runs and not in others`() {
        var outcomes: Set<Bool> = []
        for seed in UInt64(1)...20 {
            let universe = Universe(seed: seed, recorded: false)
            var weather = Weather.calm
            weather.unknownCommit = 1
            universe.set(weather)
            let database = MemoryDatabase("expiry", ExpiryTables())
            let isOver = universe.run {
                let ledger = MemoryInboxStore(MemorySession(database, Incarnation("test", in: universe) {}))
                await #expect(throws: PostgresError.self) {
                    try await ledger.transact {
                        try await ledger.record([HandledMessage(id: .make(), replies: [])], in: $0)
                    }
                }
            }
            #expect(isOver)
            outcomes.insert(database.tables.inbox.isEmpty)
        }
        #expect(outcomes == [true, false])
    }

    @Test func `two transactions that wait for each other end in a deadlock for one of them`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("expiry", ExpiryTables())
        let failures = Counter()
        let isOver = universe.run {
            let (first, second) = (RowKey.text(.timer, "a"), RowKey.text(.timer, "b"))
            await withTaskGroup { group in
                for rows in [[first, second], [second, first]] {
                    let session = MemorySession(database, Incarnation("test", in: universe) {})
                    group.addTask {
                        do {
                            try await session.transact { transaction in
                                for row in rows {
                                    _ = try await transaction.read(locking: [row]) { $0.timers.count }
                                    await universe.timeline.wait(for: .seconds(1))
                                }
                            }
                        } catch {
                            failures.count((error as? PostgresError)?.code == .deadlock)
                        }
                    }
                }
            }
        }
        #expect(isOver)
        #expect(failures.total == 1)
    }

    private static let forgotten = Keeper()
}

/// Keeps a continuation that a test lets go of at its end.
private final class Keeper: Sendable {
    private let kept = Mutex<CheckedContinuation<Void, Never>?>(nil)

    func hold(_ continuation: CheckedContinuation<Void, Never>) { kept.withLock { $0 = continuation } }
    func release() { kept.withLock { $0 }?.resume() }
}

private final class Counter: Sendable {
    private let number = Mutex(0)

    var total: Int { number.withLock { $0 } }
    func count(_ isOne: Bool) { if isOne { number.withLock { $0 += 1 } } }
}
