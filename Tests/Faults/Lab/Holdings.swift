import Foundation
import TestKit

/// What the fleet holds at a quiet moment: memory, descriptors, connections, channels.
struct Holdings: Sendable {
    let megabytes: [String: Int]
    let descriptors: [String: Int]
    let databaseConnections: Int
    let broker: Broker.Count

    init(_ fleet: FleetProcesses, _ books: Books, _ broker: Broker) async throws {
        var megabytes: [String: Int] = [:]
        var descriptors: [String: Int] = [:]
        for member in await fleet.all {
            (megabytes[member.name], descriptors[member.name]) = try member.resources()
        }
        self.megabytes = megabytes
        self.descriptors = descriptors
        databaseConnections = try await books.fleetConnections()
        self.broker = try await broker.count()
    }

    /// What a fresh fleet holds once every connection has been used, and the broker's own count has caught up.
    static func afterAFewSales(
        _ fleet: FleetProcesses, _ buyers: Buyers, _ books: Books, _ broker: Broker
    ) async throws -> Holdings {
        let halls = try await buyers.open()
        let crowd = Task { await buyers.crowd(at: 20, in: halls) }
        try await Task.sleep(for: .seconds(6))
        crowd.cancel()
        await crowd.value
        _ = await buyers.reset()
        var last = 0
        try await until("the broker's count stands still", within: .seconds(30), every: .seconds(3)) {
            let count = try await broker.count().connections
            defer { last = count }
            return count > 0 && count == last
        }
        return try await Holdings(fleet, books, broker)
    }

    /// What is more than it was, and by more than a few; the broker's own count lags, so it is asked again.
    func complaints(about first: Holdings, broker: Broker) async throws -> [String] {
        var complaints: [String] = []
        for (name, now) in first.descriptors {
            let before = descriptors[name] ?? now
            if now > before + 40 { complaints.append("\(name) holds \(now) descriptors instead of \(before)") }
        }
        for (name, now) in first.megabytes {
            let before = megabytes[name] ?? now
            if now > before + 80 { complaints.append("\(name) holds \(now) MB instead of \(before)") }
        }
        // A process opens some of its connections when it first needs them.
        let spare = descriptors.count / 3
        if first.databaseConnections > databaseConnections + 7 * spare {
            complaints.append("\(first.databaseConnections) database connections instead of \(databaseConnections)")
        }
        let deadline = ContinuousClock.now + .seconds(15)
        var count = first.broker
        while count.connections > self.broker.connections + spare || count.channels > self.broker.connections + spare {
            guard ContinuousClock.now < deadline else {
                complaints.append(
                    "\(count.connections) broker connections instead of \(self.broker.connections), "
                        + "\(count.channels) channels instead of \(self.broker.channels)")
                break
            }
            try await Task.sleep(for: .seconds(1))
            count = try await broker.count()
        }
        return complaints
    }
}
