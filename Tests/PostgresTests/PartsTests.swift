import Foundation
import Testing

@testable import Postgres

@Suite struct `Errors and limits` {
    @Test(arguments: [
        ("23505", PostgresError.Code.uniqueViolation, false), ("23514", .checkViolation, false),
        ("23503", .foreignKeyViolation, false), ("23502", .notNullViolation, false),
        ("40001", .serializationFailure, true), ("40P01", .deadlock, true), ("55P03", .lockTimeout, true),
        ("57014", .cancelled, true), ("57P01", .adminShutdown, true), ("57P02", .adminShutdown, true),
        ("57P03", .cannotConnectNow, true), ("53300", .tooManyConnections, true), ("53100", .diskFull, true),
        ("25006", .readOnly, true), ("42501", .insufficientPrivilege, false), ("42P01", .undefinedTable, false),
        ("08006", .connectionLost, true), ("22003", .invalidData, false), ("22012", .unexpectedRowCount, false),
        ("42601", .other, false),
    ])
    func `a SQLSTATE tells what happened and whether to try again`(
        state: String, code: PostgresError.Code, isTransient: Bool
    ) {
        let error = PostgresError(.init(sqlState: state), sqlState: state, operation: "test", detail: "")
        #expect(error.code == code)
        #expect(error.isTransient == isTransient)
    }

    @Test func `the password is never printed`() {
        let configuration = PostgresConfiguration(url: "postgresql://me:secret@host/db", applicationName: "a")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"))
        }
    }

    @Test func `the least recently used statement leaves first`() {
        var statements = PreparedStatements(limit: 2)
        let keys = ["a", "b", "c"].map { PreparedStatements.Key(sql: $0, oids: []) }
        let first = statements.name(for: keys[0]).name
        let second = statements.name(for: keys[1]).name
        #expect(!statements.name(for: keys[0]).isNew)
        #expect(statements.name(for: keys[2]).isNew)
        #expect(statements.takeEvicted() == [second])
        #expect(statements.takeEvicted() == [])
        #expect(statements.name(for: keys[0]) == (first, false))
        #expect(statements.name(for: keys[1]).isNew)
    }

    @Test func `other parameter types make another statement`() {
        var statements = PreparedStatements()
        let name = statements.name(for: .init(sql: "SELECT $1", oids: [20])).name
        #expect(statements.name(for: .init(sql: "SELECT $1", oids: [25])).name != name)
    }

    @Test func `permits are granted in order and expire`() async {
        let permits = AsyncSemaphore(1)
        #expect(await permits.acquire(within: .zero) == .granted)
        #expect(await permits.acquire(within: .milliseconds(10)) == .expired)
        async let next = permits.acquire(within: .seconds(5))
        permits.release()
        #expect(await next == .granted)
        async let waiting = permits.acquire(within: .seconds(5))
        permits.close()
        #expect(await waiting == .closed)
    }

    @Test(.timeLimit(.minutes(1))) func `many callers never hold more permits than there are`() async {
        let permits = AsyncSemaphore(3)
        let counter = Counter()
        await withTaskGroup { group in
            for _ in 0..<200 {
                group.addTask {
                    guard await permits.acquire(within: .seconds(30)) == .granted else { return }
                    await counter.enter()
                    await Task.yield()
                    await counter.leave()
                    permits.release()
                }
            }
        }
        #expect(await counter.most == 3)
        #expect(await counter.entries == 200)
    }
}

private actor Counter {
    private var now = 0
    private(set) var most = 0
    private(set) var entries = 0

    func enter() {
        now += 1
        entries += 1
        most = max(most, now)
    }

    func leave() { now -= 1 }
}
