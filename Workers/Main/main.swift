import Expiry
import Hosting
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
    worker ROLE…   runs workers of the fleet until SIGTERM or SIGINT; the settings come from the environment and are listed
                   in the README

      ROLE         \(words.joined(separator: ", ")), or all
      --help       shows this
      --version    shows the version

    \(ProgramArguments.exits)
    """

private let roleList = "roles are \(words.joined(separator: ", ")), all"

private let arguments = ProgramArguments("worker", usage: usage)
if arguments.words.isEmpty { arguments.refuse("no role was given, \(roleList)") }
for word in arguments.words where word != "all" && !words.contains(word) {
    arguments.refuse("there is no role '\(word)', \(roleList)")
}
private let roles = Role.allCases.filter {
    arguments.words.contains("all") || arguments.words.contains($0.rawValue)
}
private let name = "worker " + (roles.count == words.count ? "all" : roles.map(\.rawValue).joined(separator: " "))
await FleetProcess.main(name) { fleet in
    let admin = AdminServer(
        AdminRoutes(fleet), host: fleet.settings.adminHost, port: fleet.settings.adminPort, logger: fleet.logger)
    return [admin] + (try roles.flatMap { try $0.services(fleet) })
}
