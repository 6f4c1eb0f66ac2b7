import Contracts
import CoreMetrics
import FleetRuntime
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Serves the orchestrator's routes.
struct HTTPServer: Service {
    let purchases: PurchaseRoutes
    let events: EventRoutes
    let operators: OperatorRoutes
    let admin: AdminRoutes
    let settings: Settings
    let logger: Logger
    /// Told the port, which the system chose if the settings say 0.
    let onListening: @Sendable (Int) -> Void

    func run() async throws {
        let bare = Router()
        addRoutes(to: bare)
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMeterMiddleware())
        router.add(middleware: ProblemMiddleware(logger: logger))
        router.add(middleware: AllowedMethodsMiddleware(table: MethodTable(of: bare)))
        addRoutes(to: router)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            router: router, server: .impatient,
            configuration: .init(
                address: .hostname(settings.httpHost, port: settings.httpPort), serverName: "turnstile"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? settings.httpPort
                logger.info("serving HTTP", metadata: ["address": "\(settings.httpHost):\(port)"])
                onListening(port)
            },
            logger: quiet)
        try await application.run()
    }

    private func addRoutes(to router: Router<some RequestContext>) {
        admin.add(to: router)
        purchases.add(to: router)
        events.add(to: router)
        operators.add(to: router)
        DocumentRoutes().add(to: router)
    }
}

/// Counts and times requests by route, method and status: a bounded set, for routes come from code.
struct RequestMeterMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        let response = try await next(request, context)
        let dimensions = [
            ("route", context.endpointPath ?? "none"), ("method", Self.known(request.method)),
            ("status", "\(response.status.code)"),
        ]
        CoreMetrics.Timer(label: "turnstile_http_request_duration_seconds", dimensions: dimensions)
            .recordNanoseconds((ContinuousClock.now - started).nanoseconds)
        return response
    }

    private static func known(_ method: HTTPRequest.Method) -> String {
        [.get, .head, .post, .put, .delete, .patch, .options].contains(method) ? method.rawValue : "other"
    }
}
