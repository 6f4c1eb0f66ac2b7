import Foundation
import Postgres
import Testing

@Suite(.enabled(if: TestDatabase.isThere), .timeLimit(.minutes(1)))
struct `Statements on a server` {
    @Test func `a row comes back as it was sent`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            let id = UUID()
            let at = Date(timeIntervalSinceReferenceDate: 800_000_000.25)
            let rows = try await connection.query(
                "SELECT $1, $2, $3, $4, $5, $6, $7", [1, "ü", id, at, nil as Int?, Data([0, 255]), [1.5, nil]],
                as: (Int, String, UUID, Date, Int?, Data, [Double?]).self)
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect((row.0, row.1, row.2, row.3) == (1, "ü", id, at))
            #expect((row.4, row.5, row.6) == (nil, Data([0, 255]), [1.5, nil]))
            let one = try await connection.query("SELECT count(*) FROM pg_class WHERE false", as: Int.self)
            #expect(one == [0])
            #expect(try await connection.query("SELECT 1 WHERE false", as: Int32.self).isEmpty)
        }
    }

    @Test func `arrays of five hundred of every type pass through unnest`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            let indices = 0..<500
            func check<Value: PostgresEncodable & PostgresDecodable & Equatable>(_ values: [Value]) async throws {
                let rows = try await connection.query("SELECT * FROM unnest($1)", [values], as: Value.self)
                #expect(rows == values)
                let whole = try await connection.query("SELECT $1", [values], as: [Value].self)
                #expect(whole == [values])
            }
            try await check(indices.map { $0.isMultiple(of: 2) })
            try await check(indices.map { Int16($0) })
            try await check(indices.map { Int32($0) })
            try await check(indices.map { Int64($0) })
            try await check(indices.map { $0 })
            try await check(indices.map { Double($0) / 3 })
            try await check(indices.map { "text \($0) – \u{1F39F}" })
            try await check(indices.map { _ in UUID() })
            try await check(indices.map { Date(timeIntervalSinceReferenceDate: Double($0) * 1e6 - 2e8) })
            try await check(indices.map { Data(repeating: UInt8($0 % 256), count: $0 % 40) })
            try await check(indices.map { JSONB(Data("{\"n\": \($0)}".utf8)) })
            try await check(indices.map { $0.isMultiple(of: 3) ? nil : "text \($0)" })
        }
    }

    @Test func `rows are counted`() async throws {
        try await TestDatabase.withSchema("CREATE TABLE t (n int)") { connection, _ in
            #expect(try await connection.execute("INSERT INTO t SELECT generate_series(1, 7)") == 7)
            #expect(try await connection.execute("UPDATE t SET n = n WHERE n > $1", [5]) == 2)
            #expect(try await connection.execute("SELECT FROM t") == 7)
            let created = try await connection.execute("CREATE TABLE u ()")
            #expect(created == 0)
        }
    }

    @Test func `a pipeline is one transaction and counts each statement`() async throws {
        try await TestDatabase.withSchema("CREATE TABLE t (n int PRIMARY KEY)") { connection, _ in
            let counts = try await connection.pipeline([
                Statement("INSERT INTO t VALUES ($1), ($2)", 1, 2), Statement("DELETE FROM t WHERE n = $1", 2),
                Statement("INSERT INTO t VALUES ($1), ($2)", 3, 4),
            ])
            #expect(counts == [2, 1, 2])
            let error = try await TestDatabase.error {
                _ = try await connection.pipeline([
                    Statement("INSERT INTO t VALUES ($1)", 9), Statement("INSERT INTO t VALUES ($1)", 1),
                    Statement("INSERT INTO t VALUES ($1)", 10),
                ])
            }
            #expect(error.code == .uniqueViolation)
            #expect(try await connection.query("SELECT n FROM t ORDER BY n", as: Int.self) == [1, 3, 4])
            #expect(try await connection.pipeline([]) == [])
        }
    }

    @Test func `a pipeline larger than every buffer does not lock up`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            let text = String(repeating: "x", count: 20_000)
            let counts = try await connection.pipeline(
                (0..<1_000).map { _ in Statement("SELECT $1 || $1", text) })
            #expect(counts == Array(repeating: 1, count: 1_000))
        }
    }

    @Test func `a plan that an ALTER TABLE made stale is prepared again`() async throws {
        try await TestDatabase.withSchema("CREATE TABLE t (n int); INSERT INTO t VALUES (1)") { connection, settings in
            #expect(try await connection.query("SELECT * FROM t", as: Int.self) == [1])
            let other = TestDatabase.connection(settings)
            try await other.script("ALTER TABLE t ALTER n TYPE bigint")
            #expect(try await connection.query("SELECT * FROM t", as: Int.self) == [1])

            try await other.script("ALTER TABLE t ALTER n TYPE smallint")
            let error = try await TestDatabase.error {
                _ = try await connection.transaction { try await $0.query("SELECT * FROM t", as: Int.self) }
            }
            #expect(error.code == .stalePlan)
            #expect(error.isTransient)
            let again = try await connection.transaction { try await $0.query("SELECT * FROM t", as: Int.self) }
            #expect(again == [1])
            await other.close()
        }
    }

    @Test func `statements that the server forgot are prepared again`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            #expect(try await connection.query("SELECT $1", [1], as: Int.self) == [1])
            try await connection.script("DEALLOCATE ALL")
            #expect(try await connection.query("SELECT $1", [2], as: Int.self) == [2])
        }
    }

    @Test func `the server remembers a bounded number of statements`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            for n in 0..<300 { _ = try await connection.execute("SELECT \(n)") }
            let kept = try await connection.query("SELECT count(*) FROM pg_prepared_statements", as: Int.self)
            #expect(try #require(kept.first) <= 257)
        }
    }

    @Test func `rows that do not fit the types are refused by column`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            let error = try await TestDatabase.error {
                _ = try await connection.query("SELECT 1 AS a, NULL::int AS b", as: (Int, Int).self)
            }
            #expect(error.code == .decoding)
            #expect(error.detail.contains("column b"))
            let other = try await TestDatabase.error { _ = try await connection.query("SELECT 1, 2", as: Int.self) }
            #expect(other.code == .decoding)
            #expect(try await connection.query("SELECT 1", as: Int.self) == [1])
        }
    }

    @Test func `a script runs several statements or none`() async throws {
        try await TestDatabase.withSchema { connection, _ in
            try await connection.script("CREATE TABLE t (n int); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
            let error = try await TestDatabase.error {
                try await connection.script("INSERT INTO t VALUES (3); SELECT 1/0; INSERT INTO t VALUES (4)")
            }
            #expect(error.sqlState == "22012")
            #expect(try await connection.query("SELECT count(*) FROM t", as: Int.self) == [2])
        }
    }
}
