import Contracts
import FleetInspection
import FleetRuntime
import FoundationEssentials

/// Something that is wrong with the fleet, in plain words: where, what, since when, and what to do.
package struct FleetFault: Codable, Sendable, Equatable {
    package enum Subject: String, Codable, Sendable {
        case postgres = "PostgreSQL"
        case rabbitmq = "RabbitMQ"
        case redis = "Redis"
        case topology
        case process
    }

    package let subject: Subject
    /// The role, queue or exchange that it is about; nil for a server as a whole.
    package let name: String?
    package let what: String
    /// Nil where nobody noticed when it began.
    package let since: Date?
    package let advice: String

    package init(_ subject: Subject, named name: String? = nil, _ what: String, since: Date? = nil, advice: String) {
        self.subject = subject
        self.name = name
        self.what = what
        self.since = since
        self.advice = advice
    }
}

extension FleetFault {
    package init(_ alarm: BrokerAlarm) {
        let node = alarm.node.map { " on \($0)" } ?? ""
        let (kind, advice) =
            switch alarm.resource {
            case .disk: ("a disk alarm", "free disk space of the broker; messages then go on by themselves")
            case .memory:
                ("a memory alarm", "let the queues be worked on, or give the broker memory; messages then go on")
            case .unknown: ("an alarm", "look at the broker: rabbitmqctl status")
            }
        self.init(
            .rabbitmq, "\(kind)\(node): RabbitMQ accepts no messages, and every purchase waits (\(alarm.detail))",
            advice: advice)
    }

    package init(_ flaw: TopologyFlaw) {
        let advice =
            switch flaw.state {
            case .missing: "run: turnstile topology apply"
            case .wrong:
                "stop its worker, delete the \(flaw.kind.rawValue) on the broker, run: turnstile topology apply; what "
                    + "was in it is asked for again"
            }
        self.init(.topology, named: flaw.name, flaw.line, advice: advice)
    }

    /// Whether it can keep the role from its work.
    package func concerns(_ role: FleetRole) -> Bool {
        switch subject {
        case .postgres, .rabbitmq: true
        case .redis: false
        case .topology: ["turnstile.", "orchestrator.", "\(role.rawValue)."].contains { name?.hasPrefix($0) == true }
        case .process: name == role.rawValue || name == FleetRole.orchestrator.rawValue
        }
    }
}

/// The servers as a whole, when they do not answer.
extension FleetFault {
    package init(database error: any Error, since: Date?) {
        self.init(
            .postgres, "\(error)", since: since,
            advice: "check that PostgreSQL runs and lets the fleet in (DATABASE_URL); nothing is lost meanwhile")
    }

    package init(broker error: any Error, since: Date?) {
        self.init(
            .rabbitmq, "\(error)", since: since,
            advice: "check that RabbitMQ runs and lets the fleet in (AMQP_URL); nothing is lost meanwhile")
    }

    package init(redis error: any Error, since: Date?) {
        self.init(
            .redis, "\(error)", since: since,
            advice: "check that Redis runs (REDIS_URL); without it the fleet is correct and slower")
    }
}
