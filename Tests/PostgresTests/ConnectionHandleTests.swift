import Foundation
import Postgres
import Testing

@Suite(.enabled(if: TestDatabase.isThere), .timeLimit(.minutes(1)))
struct `Lost links` {
    private func process(of connection: PostgresConnection) async throws -> Int {
        try #require(try await connection.query("SELECT pg_backend_pid()", as: Int.self).first)
    }

    @Test func `a backend that is ended under a transaction loses the connection, and the next use works`() async throws
    {
        try await TestDatabase.withSchema("CREATE TABLE t (n int)") { connection, settings in
            let other = TestDatabase.connection(settings)
            let error = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    let process = try await transaction.query("SELECT pg_backend_pid()", as: Int.self)
                    _ = try await other.execute("SELECT pg_terminate_backend($1::int, 2000)", process)
                    _ = try await transaction.execute("INSERT INTO t VALUES (2)")
                }
            }
            #expect(error.code == .connectionLost)
            #expect(error.isTransient)
            #expect(try await connection.query("SELECT count(*) FROM t", as: Int.self) == [0])
        }
    }

    @Test func `a transaction whose link was lost does not go on with another`() async throws {
        try await TestDatabase.withSchema("CREATE TABLE t (n int)") { connection, settings in
            let other = TestDatabase.connection(settings)
            let error = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    let process = try await transaction.query("SELECT pg_backend_pid()", as: Int.self)
                    _ = try await other.execute("SELECT pg_terminate_backend($1::int, 2000)", process)
                    for _ in 0..<2 {
                        _ = try await TestDatabase.error {
                            _ = try await transaction.execute("INSERT INTO t VALUES (2)")
                        }
                    }
                }
            }
            #expect(error.code == .connectionLost)
            #expect(try await connection.query("SELECT count(*) FROM t", as: Int.self) == [0])
        }
    }

    @Test func `a lost connection reopens at the next use`() async throws {
        try await TestDatabase.withSchema { connection, settings in
            let first = try await process(of: connection)
            let other = TestDatabase.connection(settings)
            _ = try await other.execute("SELECT pg_terminate_backend($1::int, 2000)", [first])
            #expect(try await process(of: connection) != first)
            #expect(try await connection.query("SELECT 1", as: Int.self) == [1])
        }
    }

    @Test func `an answer that is overdue drops the link and ends the statement`() async throws {
        try await TestDatabase.withSchema { connection, settings in
            var hasty = settings
            hasty.queryDeadline = .milliseconds(300)
            let slow = TestDatabase.connection(hasty)
            let backend = try await process(of: slow)
            let start = ContinuousClock.now
            let error = try await TestDatabase.error { _ = try await slow.execute("SELECT pg_sleep(4)") }
            #expect(error.code == .timedOut)
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(try await process(of: slow) != backend)
            let hasEnded = try await TestDatabase.eventually {
                try await connection.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", [backend], as: Int.self) == [0]
            }
            #expect(hasEnded)
        }
    }

    @Test func `a statement can be ended from outside`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            try await connection.open()
            async let sleeping = TestDatabase.error { _ = try await connection.execute("SELECT pg_sleep(4)") }
            try await Task.sleep(for: .milliseconds(100))
            connection.requestCancel()
            #expect(try await sleeping.code == .cancelled)
            #expect(try await connection.query("SELECT 1", as: Int.self) == [1])
        }
    }

    @Test func `a server that is not there is a transient failure without secrets`() async throws {
        for url in ["postgresql://me:secret@127.0.0.1:1/db", "postgresql://me:secret@[::1/db", "secret"] {
            let connection = TestDatabase.connection(PostgresConfiguration(url: url, applicationName: "a"))
            let error = try await TestDatabase.error { try await connection.open() }
            #expect(error.isTransient == url.contains("127.0.0.1"))
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func `the next host of the URL is tried`() async throws {
        let url = TestDatabase.url.replacing("@", with: "@127.0.0.1:1,", maxReplacements: 1)
        let connection = TestDatabase.connection(
            PostgresConfiguration(url: url + "?target_session_attrs=read-write", applicationName: "a"))
        #expect(try await connection.query("SELECT 1", as: Int.self) == [1])
    }

    @Test func `a closed connection stays closed`() async throws {
        let connection = TestDatabase.connection(TestDatabase.configuration())
        try await connection.open()
        await connection.close()
        #expect(try await TestDatabase.error { try await connection.open() }.code == .closed)
    }

    @Test func `a session that turned read-only is left`() async throws {
        try await TestDatabase.withSchema("CREATE TABLE t (n int)") { connection, _ in
            try await connection.script("SET default_transaction_read_only = on")
            let error = try await TestDatabase.error { _ = try await connection.execute("INSERT INTO t VALUES (1)") }
            #expect(error.code == .readOnly)
            #expect(try await connection.execute("INSERT INTO t VALUES (1)") == 1)
        }
    }
}
