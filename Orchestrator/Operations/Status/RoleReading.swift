import Contracts
import FleetInspection
import FleetRuntime
import FoundationEssentials

/// What is known of one of the roles that must be played for tickets to be sold.
package struct RoleReading: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case ready
        /// Something that it can do without is away.
        case degraded
        /// It takes messages, and they fail.
        case failing
        /// Its processes run and cannot work.
        case unready
        /// None of its processes runs.
        case missing
        /// Nobody can tell while Redis does not answer.
        case unknown
    }

    package let role: FleetRole
    package let state: State
    /// Live processes; nil while Redis does not answer.
    package let processes: Int?
    package let faults: [FleetFault]

    /// Every role in a fixed order, whether anybody plays it or not.
    ///
    /// - Parameters:
    ///   - members: who signed the roll; nil while Redis does not answer.
    ///   - queues: the broker's queues, which tell who consumes when the roll does not; nil while it does not answer.
    package static func all(members: [FleetMember]?, queues: [QueueReading]?) -> [RoleReading] {
        FleetRole.allCases.map { role in
            let queue = queues?.first { $0.name == QueueReading.commands(of: role) }
            guard let members else { return RoleReading(role, consuming: queue) }
            return RoleReading(role, members: members.filter { $0.roles.contains(role) }, queue: queue)
        }
    }

    private init(_ role: FleetRole, members: [FleetMember], queue: QueueReading?) {
        let live = members.filter { $0.isLive == true }
        self.role = role
        processes = live.count
        guard !live.isEmpty else {
            state = .missing
            faults = [Self.missing(role, lastSeen: members.compactMap(\.seenAt).max())]
            return
        }
        let failures = live.flatMap { member in
            member.lanes.filter { Self.serves(role, $0.queue) }.compactMap { lane in lane.failure.map { (lane, $0) } }
        }
        let isIdle = queue?.consumers == 0
        state = Self.state(live.map(\.status), isIdle: isIdle, isFailing: !failures.isEmpty)
        var faults = live.flatMap { Self.troubles(of: $0, as: role) } + failures.map { Self.fault(role, $0, $1) }
        if isIdle, faults.isEmpty { faults.append(Self.idle(role, queue: QueueReading.commands(of: role))) }
        self.faults = faults
    }

    /// - Parameter states: what each process of the role says of itself.
    private static func state(_ states: [String], isIdle: Bool, isFailing: Bool) -> State {
        if isIdle || states.allSatisfy({ $0 == "unready" }) { return .unready }
        if isFailing { return .failing }
        return states.allSatisfy { $0 == "ready" } ? .ready : .degraded
    }

    private init(_ role: FleetRole, consuming queue: QueueReading?) {
        self.role = role
        processes = nil
        state = queue?.consumers == 0 ? .missing : .unknown
        faults = state == .missing ? [Self.idle(role, queue: QueueReading.commands(of: role))] : []
    }

    private static func serves(_ role: FleetRole, _ queue: String) -> Bool { queue.hasPrefix("\(role.rawValue).") }

    private static func title(_ role: FleetRole) -> String {
        role == .orchestrator ? "orchestrator" : "\(role.rawValue) worker"
    }

    private static func missing(_ role: FleetRole, lastSeen: Date?) -> FleetFault {
        FleetFault(
            .process, named: role.rawValue, "no \(title(role)) runs", since: lastSeen,
            advice: "start one (compose/dev start \(role.rawValue)); its messages wait for it")
    }

    private static func idle(_ role: FleetRole, queue: String) -> FleetFault {
        FleetFault(
            .process, named: role.rawValue, "nobody consumes \(queue)",
            advice: "start its process (compose/dev start \(role.rawValue)), or read its log")
    }

    /// One fault for all parts of a process that are ill for one reason.
    private static func troubles(of member: FleetMember, as role: FleetRole) -> [FleetFault] {
        let parts = (member.troubles ?? []).filter { !belongs($0.name, toAnotherThan: role) }
        return Dictionary(grouping: parts, by: \.reason).sorted { $0.key < $1.key }.map { reason, parts in
            FleetFault(
                .process, named: role.rawValue,
                "\(title(role)) \(member.host):\(member.pid) is \(member.status), "
                    + "\(parts.map(\.name).joined(separator: ", ")): \(reason)",
                since: parts.map(\.since).min(), advice: "mend the server that it names; it tries again by itself")
        }
    }

    /// In a process of several roles the parts say by their names whose they are; others are everybody's.
    private static func belongs(_ part: String, toAnotherThan role: FleetRole) -> Bool {
        FleetRole.allCases.contains { other in
            other != role
                && ["queue \(other.rawValue).", "database of \(other.rawValue)."].contains { part.hasPrefix($0) }
        }
    }

    private static func fault(_ role: FleetRole, _ lane: ConsumerReading, _ failure: ConsumerReading.Failure)
        -> FleetFault
    {
        FleetFault(
            .process, named: role.rawValue,
            "messages in \(lane.queue) fail (\(failure.messages) lately): \(failure.reason)",
            since: failure.since,
            advice: "mend the cause; what was given up meanwhile is replayed by: turnstile dead replay \(lane.queue)")
    }
}
