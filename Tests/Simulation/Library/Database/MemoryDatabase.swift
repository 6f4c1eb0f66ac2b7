import Postgres
import Synchronization

/// One schema in memory: rows that change only by transactions, locks, and a server that can restart.
///
/// A statement sees what is committed and what its own transaction wrote, as under READ COMMITTED; a row that is written
/// stays locked until the transaction ends.
package final class MemoryDatabase<Tables: Sendable>: Sendable {
    struct State {
        var tables: Tables
        var locks = LockTable()
        var transactions: [Int: Open] = [:]
        var committed: Set<Int> = []
        var numbers = 0
        var isDown = false
    }

    /// What a transaction has written so far, to be done again on whatever is committed by then.
    struct Open {
        var writes: [(inout Tables) throws -> Void] = []
    }

    package let name: String
    let state: Mutex<State>
    /// Looks at every committed state; what it returns must never be.
    let examine: @Sendable (Tables) -> [String]

    package init(
        _ name: String, _ tables: Tables, examine: @escaping @Sendable (Tables) -> [String] = { _ in [] }
    ) {
        self.name = name
        self.examine = examine
        state = Mutex(State(tables: tables))
    }

    /// What is committed.
    package var tables: Tables { state.withLock { $0.tables } }

    /// Ends every open transaction, as a restart of the server does, and lets nobody in until `recover`.
    package func stop() {
        let woken = state.withLock { state in
            state.isDown = true
            return state.transactions.keys.sorted().flatMap { state.end($0) }
        }
        for waiter in woken { waiter.resume(returning: ()) }
    }

    package func recover() {
        state.withLock { $0.isDown = false }
    }

    func begin() throws -> Int {
        try state.withLock { state in
            guard !state.isDown else { throw MemoryDatabase.failure(.cannotConnectNow, "connect") }
            state.numbers += 1
            state.transactions[state.numbers] = Open()
            return state.numbers
        }
    }

    func roll(back transaction: Int) {
        for waiter in state.withLock({ $0.end(transaction) }) { waiter.resume(returning: ()) }
    }

    /// Makes everything the transaction wrote visible at once.
    func commit(_ transaction: Int) throws -> [String] {
        let (woken, result) = state.withLock { state -> ([LockTable.Waiter], Result<[String], any Error>) in
            guard let open = state.transactions[transaction] else { return ([], .failure(Self.gone)) }
            let result = Result {
                var tables = state.tables
                for write in open.writes { try write(&tables) }
                state.tables = tables
                state.committed.insert(transaction)
                return open.writes.isEmpty ? [] : examine(tables)
            }
            return (state.end(transaction), result)
        }
        for waiter in woken { waiter.resume(returning: ()) }
        return try result.get()
    }

    static func failure(_ code: PostgresError.Code, _ operation: String, constraint: String? = nil) -> PostgresError {
        PostgresError(code, operation: operation, detail: "simulated", constraint: constraint)
    }

    static var gone: PostgresError { failure(.connectionLost, "a transaction that has ended") }
}

extension MemoryDatabase.State {
    /// Forgets a transaction and hands its locks on; returns who must be woken.
    mutating func end(_ transaction: Int) -> [LockTable.Waiter] {
        transactions[transaction] = nil
        return locks.release(transaction)
    }
}
