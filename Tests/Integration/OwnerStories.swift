import Configuration
import Contracts
import FleetStorage
import Foundation
import Logging
import OrchestratorService
import Postgres
import TestKit
import Testing
import Verification

/// What the fleet needs of PostgreSQL: an owner, as managed servers give one, and no superuser.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(10)))
struct `An owner of the database who is no superuser` {
    @Test func `migrates, sells and verifies`() async throws {
        try await withOwnedDatabase("CREATEROLE") { database, _ in
            try await database.migrate()
            try await withTestBroker { broker in
                try await runFleet(database, broker, [:]) { fleet in
                    let event = try await fleet.publish()
                    #expect(try await fleet.buy(event, #""quantity":2"#).outcome == "completed")
                    let answer = try await fleet.operate("GET", "/verify")
                    #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
                    #expect(try answer.json["isSound"] as? Bool == true)
                    #expect(try await fleet.operate("GET", "/status").status == 200)
                    #expect(try await fleet.operate("GET", "/dead").status == 200)
                }
            }
            let report = try await database.verifier().run()
            #expect(report.isSound, "\(report.lines.joined(separator: "\n"))")
        }
    }

    @Test func `and may make no roles is told the one line that an administrator must run, which is enough`()
        async throws
    {
        try await withOwnedDatabase("NOCREATEROLE") { database, administrator in
            var line = ""
            do {
                try await database.migrate()
                Issue.record("the owner could become roles that nobody gave it")
            } catch {
                let text = "\(error)"
                #expect(text.contains("let an administrator of PostgreSQL run this once"))
                line = String(text.split(separator: "migrate again: ").last ?? "")
            }
            try await administrator.script(line)
            try await database.migrate()
            let report = try await database.verifier().run()
            #expect(report.isSound, "\(report.lines.joined(separator: "\n"))")
        }
    }

    /// Lends a database whose owner has only the given right, and a superuser's connection beside it.
    private func withOwnedDatabase(
        _ right: String, _ body: (TestDatabase, PostgresConnection) async throws -> Void
    ) async throws {
        guard let server = TestServers.databaseURL, var location = URLComponents(string: server) else {
            throw MissingServer(name: "DATABASE_URL")
        }
        var patient = PostgresConfiguration(url: server, applicationName: "test")
        patient.lockTimeout = .seconds(120)
        patient.statementTimeout = .seconds(120)
        patient.queryDeadline = .seconds(130)
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let administrator = PostgresConnection(patient, logger: logger)
        let (owner, name) = (uniqueName("owner"), uniqueName("owned"))
        // Where no test ran before, the roles are not there yet.
        try await withTestDatabase(TestFleet.schemas) { _ in }
        try await administrator.script(
            "CREATE ROLE \(owner) LOGIN NOSUPERUSER \(right) PASSWORD 'of-the-owner'")
        try await administrator.script("CREATE DATABASE \(name) OWNER \(owner)")
        location.path = "/\(name)"
        location.user = owner
        location.password = "of-the-owner"
        let outcome: Result<Void, any Error>
        do {
            try await body(TestDatabase(url: location.string ?? "", logger: logger), administrator)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await administrator.script("DROP DATABASE \(name) WITH (FORCE)")
        try await administrator.script("DROP ROLE \(owner)")
        await administrator.close()
        try outcome.get()
    }
}

/// That rights which somebody took are named, and given back by migrating.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(5)))
struct `A right that was revoked` {
    @Test func `is named, given back by migrating, and works again`() async throws {
        try await withTestDatabase(TestFleet.schemas) { database in
            let owner = database.owner()
            let wanted = try TestFleet.schemas.flatMap { try Privilege.given(by: $1, in: $0.rawValue) }
            #expect(wanted.count > 60)
            #expect(try await Privileges(owner).missing(among: wanted).isEmpty, "migrating gives every right")
            try await owner.script(
                """
                REVOKE INSERT ON payment.charge FROM turnstile_payment;
                REVOKE UPDATE (status) ON reservation.hold FROM turnstile_reservation;
                REVOKE USAGE ON SCHEMA expiry FROM turnstile_expiry;
                REVOKE EXECUTE ON FUNCTION recommendation.events_near FROM turnstile_orchestrator;
                """)
            let missing = try await Privileges(owner).missing(among: wanted).map(\.description)
            #expect(
                Set(missing) == [
                    "INSERT on payment.charge to turnstile_payment",
                    "UPDATE (status) on reservation.hold to turnstile_reservation",
                    "USAGE on schema expiry to turnstile_expiry",
                    "EXECUTE on function recommendation.events_near to turnstile_orchestrator",
                ])
            let done = try await database.migrate()
            #expect(Set(done) == Set(missing.map { "gave back \($0)" }))
            #expect(try await database.migrate().isEmpty, "a second time there is nothing to do")
            #expect(try await Privileges(owner).missing(among: wanted).isEmpty)
            await owner.close()
            let worker = database.connection(as: .expiry)
            #expect(try await worker.query("SELECT count(*) FROM timer", as: (Int).self) == [0])
            await worker.close()
        }
    }
}

extension TestDatabase {
    /// Migrates all schemas as the user of the URL.
    @discardableResult
    fileprivate func migrate() async throws -> [String] {
        let owner = owner()
        var done: [String] = []
        do {
            for (role, migrations) in TestFleet.schemas {
                done += try await Migrator(owner, logger: logger).migrate(role, with: migrations)
            }
        } catch {
            await owner.close()
            throw error
        }
        await owner.close()
        return done
    }
}
