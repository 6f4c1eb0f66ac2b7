import Foundation
import Postgres
import Testing

@Suite(.enabled(if: TestDatabase.isThere), .timeLimit(.minutes(1)))
struct `Failures of statements` {
    private let tables = """
        CREATE TABLE t (n int CONSTRAINT t_pkey PRIMARY KEY, m int NOT NULL CONSTRAINT t_m_positive CHECK (m > 0));
        CREATE TABLE u (n int CONSTRAINT u_n_known REFERENCES t);
        INSERT INTO t VALUES (1, 1), (2, 2)
        """

    @Test func `constraints are told apart and named`() async throws {
        try await TestDatabase.withSchema(tables) { connection, _ in
            let cases: [(String, PostgresError.Code, String?)] = [
                ("INSERT INTO t VALUES (1, 1)", .uniqueViolation, "t_pkey"),
                ("INSERT INTO t VALUES (3, 0)", .checkViolation, "t_m_positive"),
                ("INSERT INTO t VALUES (3, NULL)", .notNullViolation, nil),
                ("INSERT INTO u VALUES (9)", .foreignKeyViolation, "u_n_known"),
                ("SELECT 2147483647 + 1", .invalidData, nil),
                ("SELECT * FROM nowhere", .undefinedTable, nil),
                ("SELEC", .other, nil),
            ]
            for (sql, code, constraint) in cases {
                let error = try await TestDatabase.error { _ = try await connection.execute(sql) }
                #expect(error.code == code)
                #expect(error.constraint == constraint)
                #expect(!error.isTransient)
                #expect(error.operation == sql)
            }
        }
    }

    @Test func `a lock held too long is a lock timeout`() async throws {
        try await TestDatabase.withSchema(tables) { connection, settings in
            var hasty = settings
            hasty.lockTimeout = .milliseconds(50)
            let other = TestDatabase.connection(hasty)
            try await connection.transaction { transaction in
                _ = try await transaction.execute("SELECT FROM t WHERE n = 1 FOR UPDATE")
                let error = try await TestDatabase.error {
                    _ = try await other.execute("UPDATE t SET m = 5 WHERE n = 1")
                }
                #expect(error.code == .lockTimeout)
                #expect(error.isTransient)
            }
        }
    }

    @Test func `of two that wait for each other one is told`() async throws {
        try await TestDatabase.withSchema(tables) { _, settings in
            let connections = [TestDatabase.connection(settings), TestDatabase.connection(settings)]
            let meeting = Meeting(of: 2)
            let errors = await withTaskGroup(of: PostgresError?.self) { group in
                for (index, connection) in connections.enumerated() {
                    group.addTask { await lockBoth(on: connection, first: index + 1, meeting) }
                }
                return await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
            }
            #expect(errors.map(\.code) == [.deadlock])
            #expect(errors.first?.isTransient == true)
        }
    }

    private func lockBoth(on connection: PostgresConnection, first: Int, _ meeting: Meeting) async -> PostgresError? {
        do {
            try await connection.transaction { transaction in
                _ = try await transaction.execute("SELECT FROM t WHERE n = $1 FOR UPDATE", [first])
                await meeting.arrive()
                _ = try await transaction.execute("SELECT FROM t WHERE n = $1 FOR UPDATE", [3 - first])
            }
            return nil
        } catch {
            return error as? PostgresError
        }
    }

    @Test func `a serialization failure is told and transient`() async throws {
        try await TestDatabase.withSchema(tables) { connection, settings in
            let other = TestDatabase.connection(settings)
            let error = try await TestDatabase.error {
                try await connection.transaction { transaction in
                    _ = try await transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    _ = try await transaction.query("SELECT m FROM t WHERE n = 1", as: Int.self)
                    _ = try await other.execute("UPDATE t SET m = 7 WHERE n = 1")
                    _ = try await transaction.execute("UPDATE t SET m = 8 WHERE n = 1")
                }
            }
            #expect(error.code == .serializationFailure)
            #expect(error.isTransient)
        }
    }

    @Test func `a statement that takes too long is ended by the server`() async throws {
        try await TestDatabase.withSchema { _, settings in
            var hasty = settings
            hasty.statementTimeout = .milliseconds(50)
            let connection = TestDatabase.connection(hasty)
            let error = try await TestDatabase.error { _ = try await connection.execute("SELECT pg_sleep(10)") }
            #expect(error.code == .statementTimeout)
            #expect(try await connection.execute("SELECT 1") == 1)
        }
    }

    @Test func `a right that is missing is told`() async throws {
        try await TestDatabase.withSchema(tables) { owner, settings in
            let mayChange = try await owner.query("SELECT pg_has_role('pg_monitor', 'MEMBER')", as: Bool.self)
            guard mayChange == [true] else { return }
            let other = PostgresConfiguration(
                url: TestDatabase.url, applicationName: "PostgresTests", role: "pg_monitor",
                searchPath: settings.searchPath)
            let connection = TestDatabase.connection(other)
            #expect(try await connection.query("SELECT current_user", as: String.self) == ["pg_monitor"])
            let schema = try #require(settings.searchPath)
            let error = try await TestDatabase.error { _ = try await connection.execute("SELECT FROM \(schema).t") }
            #expect(error.code == .insufficientPrivilege)
        }
    }
}

/// Lets callers go on when all have come.
private actor Meeting {
    private let size: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(of size: Int) { self.size = size }

    func arrive() async {
        await withCheckedContinuation { continuation in
            waiting.append(continuation)
            guard waiting.count == size else { return }
            for waiter in waiting { waiter.resume() }
        }
    }
}
