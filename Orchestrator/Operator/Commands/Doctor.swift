import ArgumentParser
import Connections
import Contracts
import FleetInspection
import Foundation
import Logging
import Operations
import OrchestratorService
import Payment
import RabbitMQ
import WireJSON

/// Finds out why the fleet cannot work, without the orchestrator's help.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Check settings, servers, alarms, queues, roles, clocks, schemas and the operator key; say what to do.",
        discussion: """
            Asks PostgreSQL, RabbitMQ, Redis and the orchestrator itself, all at once, and each for a few seconds at most. \
            Who runs is read from Redis. Exit status 1 when something must be done.
            """)

    @OptionGroup var connection: Connection

    func run() async throws {
        let settings = try Surroundings.here.settings()
        let servers = ServerChecks(settings)
        async let database = servers.database()
        async let broker = servers.broker()
        async let roll = servers.roll()
        async let orchestrator = orchestrator()
        let (sight, brokerFindings) = await broker
        let (members, redisFindings) = await roll
        let roles = RoleReading.all(members: members, queues: sight?.queues)
        let findings =
            await database + brokerFindings + redisFindings + roles.flatMap { Finding.all(of: $0) }
            + (await orchestrator)
        if connection.json {
            Terminal.show(json: try WireFormat.encode(findings))
        } else {
            let rows = findings.map { [$0.subject, $0.state.rawValue, $0.detail] }
            for line in Table(headings: ["what", "", "detail"], rows: rows).lines { Terminal.show(line) }
        }
        guard findings.allSatisfy({ $0.state != .toDo }) else { throw ExitCode(1) }
    }

    /// The key is only looked at where somebody can look at it.
    private func orchestrator() async -> [Finding] {
        do {
            _ = try await connection.client.get("/health/live", within: .seconds(3))
        } catch {
            return [
                Finding("HTTP", .toDo, "\(error)"),
                Finding("operator key", .unknown, "the orchestrator does not answer"),
            ]
        }
        let answers = Finding("HTTP", .well, "answers at \(connection.client.base)")
        do {
            _ = try await connection.client.get("/ops/fleet", within: .seconds(5))
        } catch let refusal as Refusal where refusal.status == 401 {
            return [
                answers,
                Finding(
                    "operator key", .toDo, "set OPERATOR_KEY to one of the orchestrator's OPERATOR_KEYS (\(refusal))"),
            ]
        } catch {
            // It was let in; why there is no answer is another line's business.
        }
        return [answers, Finding("operator key", .well, "accepted")]
    }
}

/// One thing that was looked at.
struct Finding: Encodable {
    enum State: String, Encodable {
        case well = "ok"
        case toDo = "TO DO"
        /// It cannot be looked at before something else is mended.
        case unknown = "?"
    }

    let subject: String
    let state: State
    let detail: String

    init(_ subject: String, _ state: State, _ detail: String) {
        self.subject = subject
        self.state = state
        self.detail = detail
    }

    init(_ subject: String, _ fault: FleetFault) {
        self.init(subject, .toDo, "\(fault.sentence(at: Date())); \(fault.advice)")
    }

    static func all(of role: RoleReading) -> [Finding] {
        let subject = role.role.rawValue
        guard role.faults.isEmpty else { return role.faults.map { Finding(subject, $0) } }
        return switch role.state {
        case .unknown: [Finding(subject, .unknown, "only Redis knows who runs")]
        default: [Finding(subject, .well, "\(role.processes ?? 0) ready")]
        }
    }
}
