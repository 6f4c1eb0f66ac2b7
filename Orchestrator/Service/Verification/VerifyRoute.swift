import FleetRuntime
import Hummingbird
import Logging

/// The route by which operators ask whether the fleet has kept its promises.
///
/// Whoever asks while a verification runs gets its answer: a second one would only slow the first.
struct VerifyRoute: Sendable {
    private let desk: VerificationDesk

    init(_ settings: Settings, logger: Logger) {
        desk = VerificationDesk(settings, logger: logger)
    }

    func add(to ops: RouterGroup<some RequestContext>) {
        ops.get("verify") { request, _ in
            let isSettled = try QueryReader(request).choice("settled", among: ["true", "false"]) == "true"
            return Response.json(200, try await desk.report(settled: isSettled))
        }
    }
}

private actor VerificationDesk {
    private let settings: Settings
    private let logger: Logger
    private var underWay: [Bool: Task<VerificationReport, any Error>] = [:]

    init(_ settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    func report(settled: Bool) async throws -> VerificationReport {
        if let task = underWay[settled] { return try await task.value }
        let verifier = Verifier(settings, options: Verifier.Options(settled: settled), logger: logger)
        let task = Task { try await verifier.run() }
        underWay[settled] = task
        defer { underWay[settled] = nil }
        return try await task.value
    }
}
