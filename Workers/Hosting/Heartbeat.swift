import FleetInspection
import FleetRuntime
import Foundation
import Logging
import ServiceLifecycle

/// Signs the fleet's roll for this process every few seconds and when its health changes; strikes it off at the end.
struct Heartbeat: Service {
    /// However often its health changes.
    private static let shortestPause = Duration.milliseconds(500)

    let name: String
    let roll: ProcessRegistry
    let health: HealthRegistry
    let lanes: ConsumerRegistry
    let logger: Logger
    private let id: String
    private let startedAt = Date()
    private let host = ProcessInfo.processInfo.hostName
    private let pid = Int(ProcessInfo.processInfo.processIdentifier)

    init(_ name: String, _ fleet: Fleet) throws {
        self.name = name
        roll = ProcessRegistry(try fleet.redis(for: "roll"), prefix: fleet.settings.redisPrefix)
        health = fleet.health
        lanes = fleet.laneBoard
        logger = fleet.logger
        id = "\(host):\(pid):\(UInt32.random(in: 0...UInt32.max))"
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            await attempt { try await roll.sign(member) }
            await sleepUnlessStopped(Self.shortestPause)
            await health.changes.wait(atMost: ProcessRegistry.period - Self.shortestPause)
        }
        await attempt { try await roll.leave(id) }
    }

    private var member: FleetMember {
        let report = health.report
        return FleetMember(
            id: id, process: name, version: Release.version, builtAt: Release.builtAt, host: host, pid: pid,
            startedAt: startedAt, status: report.word, troubles: report.components.compactMap(ComponentReading.init),
            lanes: lanes.readings())
    }

    /// Without Redis nobody knows who is alive, and everything goes on.
    private func attempt(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            logger.debug("the roll could not be signed", metadata: ["error": "\(error)"])
        }
    }
}
