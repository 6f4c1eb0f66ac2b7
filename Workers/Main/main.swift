import Expiry
import FleetRuntime
import Notification
import Payment
import Recommendation
import Reservation
import ServiceLifecycle

/// What a worker process can be.
private enum Role: String, CaseIterable {
    case reservation, payment, notification, expiry, recommendation

    func services(_ fleet: Fleet) throws -> [any Service] {
        switch self {
        case .reservation: try ReservationService.services(fleet)
        case .payment: try PaymentService.services(fleet)
        case .notification: try NotificationService.services(fleet)
        case .expiry: try ExpiryService.services(fleet)
        case .recommendation: try RecommendationService.services(fleet)
        }
    }
}

private let words = Role.allCases.map(\.rawValue)
private let usage = """
    worker ROLE…   runs workers of the fleet until SIGTERM or SIGINT; the settings come from the environment

      ROLE         \(words.joined(separator: ", ")), or all
    """

/// Ends the process with one line for whoever typed (`EX_USAGE` of sysexits).
private func refuse(_ line: String) -> Never {
    StartupFailure.exit(status: 64, lines: ["worker: \(line); roles are \(words.joined(separator: ", ")), all"])
}

private let arguments = CommandLine.arguments.dropFirst()
if arguments.contains(where: { ["-h", "--help", "help"].contains($0) }) {
    print(usage)
} else {
    if arguments.isEmpty { refuse("no role was given") }
    for word in arguments where word != "all" && !words.contains(word) { refuse("there is no role '\(word)'") }
    let roles = Role.allCases.filter { arguments.contains("all") || arguments.contains($0.rawValue) }
    let name = "worker " + (roles.count == words.count ? "all" : roles.map(\.rawValue).joined(separator: " "))
    try await FleetProcess.main(name) { fleet in
        let admin = AdminServer(
            AdminRoutes(fleet), host: fleet.settings.adminHost, port: fleet.settings.adminPort, logger: fleet.logger)
        return [admin] + (try roles.flatMap { try $0.services(fleet) })
    }
}
