import Contracts
import TestKit

/// Something that goes wrong, how the suite makes it so, and how soon the fleet must be well again.
struct Fault: Sendable {
    /// The ids of the catalogue, or a name where it has none.
    let id: String
    let title: String
    let how: String
    /// From the healing to the next completed purchase.
    let bound: Duration
    /// Purchases a second meanwhile.
    let rate: Int
    /// Injects and heals; tells what was seen.
    let inject: @Sendable (Stage) async throws -> String

    init(
        _ id: String, _ title: String, how: String, bound: Duration = .seconds(30), rate: Int = 15,
        _ inject: @escaping @Sendable (Stage) async throws -> String
    ) {
        self.id = id
        self.title = title
        self.how = how
        self.bound = bound
        self.rate = rate
        self.inject = inject
    }

    static let all: [Fault] =
        killPoints + processes + broker + listeners + network + messages + ids + database + cache + time + payment + web
}

/// What a fault may touch.
struct Stage: Sendable {
    let place: Place
    let servers: Servers
    let proxies: Proxies
    let fleet: FleetProcesses
    let broker: Broker
    let books: Books
    let buyers: Buyers
    let web: Web
    let halls: Halls

    /// Lets the sale go on for a while.
    func pause(_ time: Duration) async throws { try await Task.sleep(for: time) }

    /// Waits until sales have begun, so that the fault meets work under way.
    func busy() async throws {
        let before = await buyers.tally.accepted
        try await until("purchases are accepted", within: .seconds(30)) { await buyers.tally.accepted > before + 10 }
    }

    /// The readiness that each role tells, such as `orchestrator 503`.
    func readiness() async -> String {
        var words: [String] = []
        for member in await fleet.all {
            let status = await web.status("http://127.0.0.1:\(member.port)/health/ready")
            words.append("\(member.name) \(status.map(String.init) ?? "silent")")
        }
        return words.joined(separator: ", ")
    }

    /// Does something while others buy one ticket after another; each of them must have it within two seconds.
    func besideBystanders<R: Sendable>(_ act: @escaping @Sendable () async throws -> R) async throws -> (R, Int) {
        try await withThrowingTaskGroup(of: Int.self) { group in
            let (buyers, halls) = (buyers, halls)
            group.addTask {
                var count = 0
                while !Task.isCancelled {
                    do {
                        try await buyers.probe(halls, within: .seconds(2))
                        count += 1
                    } catch  where Task.isCancelled {
                        break
                    }
                }
                return count
            }
            let result = try await act()
            group.cancelAll()
            return (result, try await group.next() ?? 0)
        }
    }

    /// Waits until a process says that it is not ready; the time it took.
    func unready(_ role: FleetRole, within limit: Duration = .seconds(30)) async throws -> Duration {
        let member = try await fleet.first(role)
        return try await until("\(member.name) says that it is not ready", within: limit) {
            await web.status("http://127.0.0.1:\(member.port)/health/ready") != 200
        }
    }
}
