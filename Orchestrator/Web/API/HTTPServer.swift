import ContractDocuments
import Contracts
import Hosting
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import WebKit

/// Serves the orchestrator's routes.
package struct HTTPServer: Service {
    let purchases: PurchaseRoutes
    let events: EventRoutes
    let operators: OperatorRoutes
    let fleet: Fleet
    /// Told the port, which the system chose if the settings say 0.
    let onListening: @Sendable (Int) -> Void

    package init(
        purchases: PurchaseRoutes, events: EventRoutes, operators: OperatorRoutes, fleet: Fleet,
        onListening: @escaping @Sendable (Int) -> Void
    ) {
        self.purchases = purchases
        self.events = events
        self.operators = operators
        self.fleet = fleet
        self.onListening = onListening
    }

    package func run() async throws {
        let (settings, logger) = (fleet.settings, fleet.logger)
        let bare = Router(context: FleetContext.self)
        addRoutes(to: bare)
        let router = Router(context: FleetContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMeter(fleet.metrics))
        router.add(middleware: ExpectationMiddleware())
        router.add(middleware: ProblemMiddleware(logger: logger))
        router.add(middleware: AllowedMethodsMiddleware(table: MethodTable(of: bare)))
        router.add(middleware: CrossSiteMiddleware())
        router.add(
            middleware: QueryParametersMiddleware(table: QueryParameterTable(try ContractDocument.openapi.get())))
        router.add(middleware: AuditMiddleware(keys: operators.keys, book: operators.audit, logger: logger))
        addRoutes(to: router)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router, server: .impatient(within: fleet.connections),
            configuration: .init(
                address: .hostname(settings.httpHost, port: settings.httpPort), serverName: "turnstile"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? settings.httpPort
                logger.info("serving HTTP", metadata: ["address": "\(settings.httpHost):\(port)"])
                onListening(port)
            },
            logger: quiet)
        try await application.serve(at: "\(settings.httpHost):\(settings.httpPort)")
    }

    /// What it serves, as `get /events/{id}`; the methods that follow from others are left out.
    package var routes: [String] {
        let router = Router(context: FleetContext.self)
        addRoutes(to: router)
        return router.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" }
    }

    private func addRoutes(to router: Router<FleetContext>) {
        AdminRoutes(fleet).add(to: router)
        purchases.add(to: router)
        events.add(to: router)
        operators.add(to: router)
        DocumentRoutes().add(to: router)
    }
}
