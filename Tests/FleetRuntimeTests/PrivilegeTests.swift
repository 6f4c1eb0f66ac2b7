import FleetStorage
import Testing

/// How the rights that migrations give are read from them.
@Suite struct `The privileges of a schema` {
    private func given(_ sql: String...) throws -> [String] {
        let migrations = sql.enumerated().map { Migration(name: "000\($0 + 1)_step", sql: $1) }
        return try Privilege.given(by: migrations, in: "payment").map(\.description)
    }

    @Test func `are those of every grant, for each object, column and role of the fleet`() throws {
        let rights = try given(
            """
            -- GRANT ALL ON nothing TO nobody;
            GRANT USAGE ON SCHEMA payment TO turnstile_payment, turnstile_orchestrator;
            GRANT SELECT, UPDATE (
                status, step) ON charge TO turnstile_payment;
            GRANT EXECUTE ON FUNCTION near TO turnstile_orchestrator, somebody_else;
            """)
        #expect(
            rights == [
                "USAGE on schema payment to turnstile_payment", "USAGE on schema payment to turnstile_orchestrator",
                "SELECT on payment.charge to turnstile_payment",
                "UPDATE (status) on payment.charge to turnstile_payment",
                "UPDATE (step) on payment.charge to turnstile_payment",
                "EXECUTE on function payment.near to turnstile_orchestrator",
            ])
    }

    @Test func `end with a later revoke`() throws {
        let rights = try given(
            "GRANT SELECT, INSERT ON charge TO turnstile_payment;", "REVOKE INSERT ON charge FROM turnstile_payment;")
        #expect(rights == ["SELECT on payment.charge to turnstile_payment"])
    }

    @Test func `are refused when they cannot be understood`() {
        #expect(throws: (any Error).self) { try given("GRANT everything;") }
    }
}
