import Foundation
import Postgres
import Testing

@Suite(.enabled(if: TestDatabase.isThere), .timeLimit(.minutes(1)))
struct `Transactions` {
    private let table = "CREATE TABLE t (n int CONSTRAINT t_n_unique UNIQUE DEFERRABLE INITIALLY DEFERRED)"

    private func contents(_ connection: PostgresConnection) async throws -> [Int] {
        try await connection.query("SELECT n FROM t ORDER BY n", as: Int.self)
    }

    private struct Refusal: Error {}

    @Test func `what the body did is committed when it returns`() async throws {
        try await TestDatabase.withSchema(table) { connection, settings in
            let count = try await connection.transaction { transaction in
                _ = try await transaction.execute("INSERT INTO t VALUES ($1)", [1])
                _ = try await transaction.pipeline([Statement("INSERT INTO t VALUES ($1)", 2)])
                return try await transaction.query("SELECT count(*) FROM t", as: Int.self)
            }
            #expect(count == [2])
            #expect(try await contents(TestDatabase.connection(settings)) == [1, 2])
        }
    }

    @Test func `what the body did is undone when it throws`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            await #expect(throws: Refusal.self) {
                try await connection.transaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    throw Refusal()
                }
            }
            let left = try await contents(connection)
            #expect(left == [])
        }
    }

    @Test func `a body without statements sends nothing`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            #expect(try await connection.transaction { _ in 7 } == 7)
            let counts = try await connection.transaction { try await $0.commit(after: []) }
            #expect(counts == [])
        }
    }

    @Test func `a transaction in which a statement failed is not committed, even if nobody minds`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            for bad: any PostgresEncodable in ["x", "\0"] {
                _ = try await TestDatabase.error {
                    try await connection.transaction { transaction in
                        _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                        _ = try await TestDatabase.error {
                            _ = try await transaction.execute("INSERT INTO t VALUES ($1::text::int)", [bad])
                        }
                    }
                }
            }
            #expect(try await contents(connection) == [])
        }
    }

    @Test func `a savepoint may undo a failure`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            try await connection.transaction { transaction in
                _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                _ = try await transaction.execute("SAVEPOINT s")
                _ = try await TestDatabase.error { _ = try await transaction.execute("SELECT 1/0") }
                _ = try await transaction.execute("ROLLBACK TO s")
            }
            #expect(try await contents(connection) == [1])
        }
    }

    @Test func `two questions go together, and the second sees what the first has waited for`() async throws {
        try await TestDatabase.withSchema(table + "; CREATE TABLE note (text text); INSERT INTO t VALUES (1)") {
            connection, settings in
            let (other, observer) = (TestDatabase.connection(settings), TestDatabase.connection(settings))
            let asker = try await connection.query("SELECT pg_backend_pid()", as: (Int32).self)
            let (locked, unlocked) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
            async let holding: Void = other.transaction { transaction in
                _ = try await transaction.execute("UPDATE t SET n = 2")
                locked.continuation.finish()
                for await _ in unlocked.stream {}
                _ = try await transaction.execute("INSERT INTO note VALUES ('seen')")
            }
            for await _ in locked.stream {}
            async let asking = connection.transaction { transaction in
                try await transaction.query(
                    Statement("SELECT n FROM t FOR UPDATE"), as: (Int).self,
                    Statement("SELECT text FROM note"), as: (String).self)
            }
            let isWaiting = try await TestDatabase.eventually {
                let waiting = try await observer.query(
                    "SELECT count(*) FROM pg_locks WHERE pid = ANY($1) AND NOT granted", [asker], as: Int.self)
                return waiting != [0]
            }
            #expect(isWaiting)
            unlocked.continuation.finish()
            try await holding
            let (numbers, notes) = try await asking
            #expect(numbers == [2])
            #expect(notes == ["seen"])
        }
    }

    @Test func `the last statements and the commit go together`() async throws {
        try await TestDatabase.withSchema(table) { connection, settings in
            let counts = try await connection.transaction { transaction in
                _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                let counts = try await transaction.commit(after: [Statement("INSERT INTO t VALUES (2), (3)")])
                #expect(try await contents(TestDatabase.connection(settings)) == [1, 2, 3])
                let late = try await TestDatabase.error { _ = try await transaction.execute("SELECT 1") }
                #expect(late.code == .closed)
                return counts
            }
            #expect(counts == [2])
            let failed = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    _ = try await transaction.commit(after: [
                        Statement("INSERT INTO t VALUES (4)"), Statement("SELECT 1/0"),
                    ])
                }
            }
            #expect(failed.sqlState == "22012")
            #expect(try await contents(connection) == [1, 2, 3])
        }
    }

    @Test func `postponed statements go with whatever comes next, and before it`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            let (first, second, third) = try await connection.transaction { transaction in
                transaction.postpone([Statement("INSERT INTO t VALUES ($1)", 1), Statement("SELECT 7")])
                let first = try await transaction.query("SELECT n FROM t", as: Int.self)
                transaction.postpone([Statement("INSERT INTO t VALUES (2)")])
                let second = try await transaction.execute("UPDATE t SET n = n + 10")
                transaction.postpone([Statement("SELECT 8"), Statement("INSERT INTO t VALUES (3)")])
                let (third, _) = try await transaction.query(
                    Statement("SELECT n FROM t ORDER BY n"), as: Int.self, Statement("SELECT 9"), as: Int.self)
                transaction.postpone([Statement("INSERT INTO t VALUES (4)")])
                return (first, second, third)
            }
            #expect(first == [1])
            #expect(second == 2)
            #expect(third == [3, 11, 12])
            #expect(try await contents(connection) == [3, 4, 11, 12])
        }
    }

    @Test func `a postponed statement that fails is thrown where it is sent`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            let atCommit = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    transaction.postpone([Statement("INSERT INTO t VALUES (1)"), Statement("SELECT no_such_column")])
                    _ = try await transaction.commit(after: [Statement("INSERT INTO t VALUES (2)")])
                }
            }
            #expect(atCommit.sqlState == "42703")
            let atEnd = try await TestDatabase.error {
                try await connection.transaction { $0.postpone([Statement("SELECT no_such_column")]) }
            }
            #expect(atEnd.sqlState == "42703")
            await #expect(throws: Refusal.self) {
                try await connection.transaction { transaction in
                    transaction.postpone([Statement("INSERT INTO t VALUES (1)")])
                    throw Refusal()
                }
            }
            #expect(try await contents(connection) == [])
        }
    }

    @Test func `a statement that touches other rows than agreed takes its commit with it`() async throws {
        try await TestDatabase.withSchema(table + "; INSERT INTO t VALUES (1), (2)") { connection, _ in
            let update = Statement("UPDATE t SET n = n + 10 WHERE n = ANY($1)", [2, 3])
            for rows in [0, 2, 3] {
                let error = try await TestDatabase.error {
                    try await connection.transaction { $0.postpone([update.touching(exactly: rows)]) }
                }
                #expect(error.code == .unexpectedRowCount)
            }
            try await connection.transaction { $0.postpone([update.touching(exactly: 1)]) }
            #expect(try await contents(connection) == [1, 12])
        }
    }

    @Test func `a last statement may answer with rows, and is committed by then`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            await #expect(throws: Refusal.self) {
                try await connection.transaction { transaction in
                    transaction.postpone([Statement("INSERT INTO t VALUES (1)")])
                    let rows = try await transaction.commit(
                        after: Statement("INSERT INTO t VALUES (2) RETURNING n"), as: Int.self)
                    #expect(rows == [2])
                    throw Refusal()
                }
            }
            let left = try await contents(connection)
            #expect(left == [1, 2])
        }
    }

    @Test func `a constraint that is checked at commit is reported by name`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            let error = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1), (1)")
                }
            }
            #expect(error.code == .uniqueViolation)
            #expect(error.constraint == "t_n_unique")
            #expect(try await contents(connection) == [])
        }
    }

    @Test func `transactions and statements of many callers never mix`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            let identifiers = try await withThrowingTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await connection.transaction { transaction in
                            let sql = "SELECT pg_current_xact_id()::text"
                            let first = try await transaction.query(sql, as: String.self)
                            await Task.yield()
                            let second = try await transaction.query(sql, as: String.self)
                            #expect(first == second)
                            return first[0]
                        }
                    }
                    group.addTask {
                        try await connection.query("SELECT pg_current_xact_id()::text", as: String.self)[0]
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(identifiers).count == 80)
        }
    }

    @Test func `a statement that would fall into its own transaction times out instead`() async throws {
        try await TestDatabase.withSchema { _, settings in
            var settings = settings
            settings.queryDeadline = .milliseconds(100)
            let connection = TestDatabase.connection(settings)
            try await connection.transaction { _ in
                let error = try await TestDatabase.error { _ = try await connection.execute("SELECT 1") }
                #expect(error.code == .timedOut)
            }
            #expect(try await connection.execute("SELECT 1") == 1)
        }
    }

    @Test func `a BEGIN or COMMIT by hand is refused and leaves nothing behind`() async throws {
        try await TestDatabase.withSchema(table) { connection, _ in
            _ = try await TestDatabase.error { _ = try await connection.execute("BEGIN") }
            _ = try await TestDatabase.error { try await connection.script("BEGIN; INSERT INTO t VALUES (1)") }
            let error = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    _ = try await transaction.execute("COMMIT")
                    _ = try await transaction.execute("INSERT INTO t VALUES (2)")
                }
            }
            #expect(error.code == .other)
            #expect(try await contents(connection) == [])
        }
    }
}
