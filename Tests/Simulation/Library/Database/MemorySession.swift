import FoundationEssentials
import Postgres
import Synchronization

/// One process's connection to a schema.
package struct MemorySession<Tables: Sendable>: Sendable {
    package let database: MemoryDatabase<Tables>
    package let process: Incarnation

    package init(_ database: MemoryDatabase<Tables>, _ process: Incarnation) {
        self.database = database
        self.process = process
    }

    /// Runs the body in one transaction: commits when it returns, rolls back when it throws.
    package func transact<R: Sendable>(
        _ body: (MemoryTransaction<Tables>) async throws -> R
    ) async throws -> R {
        try await process.step()
        let transaction = MemoryTransaction(session: self, number: try database.begin())
        do {
            let result = try await body(transaction)
            try await transaction.finish()
            return result
        } catch {
            database.roll(back: transaction.number)
            throw error
        }
    }
}

extension MemorySession {
    /// One statement by itself that reads.
    package func look<R: Sendable>(_ body: (Tables) throws -> R) async throws -> R {
        try await process.step()
        guard !database.state.withLock({ $0.isDown }), !process.universe.happens(\.lostStatement) else {
            throw MemoryDatabase<Tables>.failure(.connectionLost, "statement")
        }
        return try body(database.tables)
    }
}

/// An open transaction of a simulated database.
package struct MemoryTransaction<Tables: Sendable>: Sendable {
    let session: MemorySession<Tables>
    let number: Int

    private var database: MemoryDatabase<Tables> { session.database }

    /// The database's clock.
    package var now: Date { session.process.universe.timeline.date }

    /// One statement that reads; the named rows are locked first, in this order.
    package func read<R: Sendable>(locking keys: [RowKey] = [], _ body: (Tables) throws -> R) async throws -> R {
        try await begin(keys)
        return try view { try body($0) }
    }

    /// One statement that takes just those rows that nobody else has locked.
    package func claim<Row: Sendable>(
        _ candidates: (Tables) -> [Row], key: (Row) -> RowKey, limit: Int
    ) async throws -> [Row] {
        try await begin([])
        let rows = try view { candidates($0) }
        let keys = rows.map(key)
        let claimed = database.state.withLock { state in
            let free = keys.indices.filter { state.locks.isFree(keys[$0], for: number) }.prefix(limit)
            for index in free { state.locks.take(keys[index], for: number) }
            return Array(free)
        }
        return claimed.map { rows[$0] }
    }

    /// One statement that writes the named rows.
    ///
    /// The body runs now, and once more when the transaction commits; the rows' locks make both runs alike.
    @discardableResult
    package func write<R: Sendable>(
        locking keys: [RowKey], _ body: @escaping @Sendable (inout Tables) throws -> R
    ) async throws -> R {
        try await begin(keys)
        let result = try view { try body(&$0) }
        try database.state.withLock { state in
            guard state.transactions[number] != nil else { throw MemoryDatabase<Tables>.gone }
            state.transactions[number]?.writes.append { _ = try body(&$0) }
        }
        return result
    }

    /// COMMIT, whose answer may be lost whether it happened or not.
    package func commit() async throws {
        let process = session.process
        try await process.step()
        let isUnknown = process.universe.happens(\.unknownCommit)
        if isUnknown && process.universe.number(in: 0...1) == 0 {
            database.roll(back: number)
            throw MemoryDatabase<Tables>.failure(.connectionLost, "COMMIT")
        }
        for violation in try database.commit(number) { process.universe.condemn(violation) }
        try process.survive()
        if isUnknown { throw MemoryDatabase<Tables>.failure(.connectionLost, "COMMIT") }
    }

    /// Commits unless the last statement has.
    fileprivate func finish() async throws {
        if database.state.withLock({ $0.committed.contains(number) }) { return }
        try await commit()
    }

    private var isOpen: Bool { database.state.withLock { $0.transactions[number] != nil } }

    private func view<R: Sendable>(_ body: (inout Tables) throws -> R) throws -> R {
        try database.state.withLock { state in
            guard let open = state.transactions[number] else { throw MemoryDatabase<Tables>.gone }
            var tables = state.tables
            for write in open.writes { try write(&tables) }
            return try body(&tables)
        }
    }

    private func begin(_ keys: [RowKey]) async throws {
        let process = session.process
        try await process.step()
        guard isOpen else { throw MemoryDatabase<Tables>.gone }
        if process.universe.happens(\.lostStatement) {
            throw MemoryDatabase<Tables>.failure(.connectionLost, "statement")
        }
        if process.universe.happens(\.deadlock) { throw MemoryDatabase<Tables>.failure(.deadlock, "statement") }
        for key in keys { try await lock(key) }
    }

    private func lock(_ key: RowKey) async throws {
        let isBusy = try database.state.withLock { state in
            guard !state.locks.isFree(key, for: number) else {
                state.locks.take(key, for: number)
                return false
            }
            if state.locks.closesCircle(number, waitingFor: key) {
                throw MemoryDatabase<Tables>.failure(.deadlock, "lock")
            }
            return true
        }
        guard isBusy else { return }
        await withCheckedContinuation { waiter in
            database.state.withLock { $0.locks.enqueue(waiter, of: number, for: key) }
        }
        guard isOpen else { throw MemoryDatabase<Tables>.gone }
    }
}
