import Contracts
import FleetInspection
import FleetRuntime
import FoundationEssentials
import Hummingbird
import Logging
import ServiceLifecycle
import WireJSON

/// The routes by which machines look at any process of the fleet: liveness, readiness, metrics.
package struct AdminRoutes: Sendable {
    let health: HealthRegistry
    let metrics: PrometheusRegistry
    let connections: ConnectionLimits

    package init(_ fleet: Fleet) {
        health = fleet.health
        metrics = fleet.metrics
        connections = fleet.connections
    }

    package func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("health/live") { _, _ in Response.json(.ok, #"{"status":"live"}"#) }
        router.get("health/ready") { _, _ in readiness() }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: ByteBuffer(string: await metrics.scrape())))
        }
    }

    private struct Readiness: Encodable {
        let status: String
        let components: [String: String]
    }

    private func readiness() -> Response {
        let report = health.report
        let components = report.components.map { ($0.name, $0.status.words) }
        let readiness = Readiness(
            status: report.word, components: Dictionary(components) { first, _ in first })
        do {
            let body = String(decoding: try WireFormat.encode(readiness), as: UTF8.self)
            return .json(report.isReady ? .ok : .serviceUnavailable, body)
        } catch {
            return .json(.serviceUnavailable, #"{"status":"unready"}"#)
        }
    }
}

extension Response {
    package static func json(_ status: HTTPResponse.Status, _ body: String) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}

/// Serves the admin routes of a worker on its own port.
package struct AdminServer: Service {
    let routes: AdminRoutes
    let host: String
    let port: Int
    let logger: Logger

    package init(_ routes: AdminRoutes, host: String, port: Int, logger: Logger) {
        self.routes = routes
        self.host = host
        self.port = port
        self.logger = logger
    }

    package func run() async throws {
        let router = Router()
        routes.add(to: router)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router, server: .impatient(within: routes.connections),
            configuration: .init(address: .hostname(host, port: port), serverName: "turnstile"),
            onServerRunning: { channel in
                let address = "\(host):\(channel.localAddress?.port ?? port)"
                logger.info("serving HTTP", metadata: ["address": "\(address)"])
            },
            logger: quiet)
        try await application.serve(at: "\(host):\(port)")
    }
}

/// A server that cannot listen, or can no longer, with the address for whoever can make room for it.
package struct ServingFailure: Error, CustomStringConvertible {
    let address: String
    let reason: any Error

    package var description: String { "cannot serve HTTP at \(address): \(plainReason(of: reason))" }
}

extension Application {
    /// - Throws: `ServingFailure`.
    package func serve(at address: String) async throws {
        do {
            try await run()
        } catch {
            throw ServingFailure(address: address, reason: error)
        }
    }
}
