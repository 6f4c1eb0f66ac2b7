import Foundation
import Logging
import Postgres
import Testing

@Suite(.enabled(if: TestDatabase.isThere), .timeLimit(.minutes(1)))
struct `The pool` {
    private func pool(size: Int, patience: Duration = .seconds(5)) -> PostgresPool {
        PostgresPool(TestDatabase.configuration(), size: size, patience: patience, logger: Logger(label: "test"))
    }

    @Test func `many callers share few connections`() async throws {
        let pool = pool(size: 3)
        let processes = try await withThrowingTaskGroup { group in
            for _ in 0..<60 {
                group.addTask {
                    try await pool.transaction { try await $0.query("SELECT pg_backend_pid()", as: Int.self)[0] }
                }
            }
            return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect((1...3).contains(processes.count))
        #expect(await pool.inUse == 0)
        #expect((1...3).contains(await pool.idle))
        await pool.close()
    }

    @Test func `who waits too long is turned away`() async throws {
        let pool = pool(size: 1, patience: .milliseconds(50))
        try await pool.withConnection { _ in
            #expect(await pool.inUse == 1)
            let error = try await TestDatabase.error { try await pool.withConnection { _ in } }
            #expect(error.code == .poolExhausted)
            #expect(error.isTransient)
        }
        try await pool.withConnection { _ in }
        await pool.close()
    }

    @Test func `a connection that broke is replaced`() async throws {
        let pool = pool(size: 1)
        let error = try await TestDatabase.error {
            try await pool.withConnection { _ = try await $0.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
        }
        #expect(error.code == .connectionLost)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1", as: Int.self) } == [1])
        await pool.close()
    }

    @Test func `a closed pool lends nothing`() async throws {
        let pool = pool(size: 1)
        try await pool.withConnection { connection in
            await pool.close()
            let rows = try await connection.query("SELECT 1", as: Int32.self)
            #expect(rows == [1])
        }
        #expect(await pool.idle == 0)
        #expect(try await TestDatabase.error { try await pool.withConnection { _ in } }.code == .closed)
    }
}
