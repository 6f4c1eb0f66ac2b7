import Contracts

/// A process dies at a named place, at the first, second and third time it comes by, and starts again.
extension Fault {
    private struct Place: Sendable {
        let id: String
        let role: FleetRole
        let point: String
        let title: String
    }

    private static let places: [Place] =
        [
            Place(
                id: "A3-orchestrator", role: .orchestrator, point: "ledger.before-commit",
                title: "before the commit of a batch"),
            Place(
                id: "A4-orchestrator", role: .orchestrator, point: "ledger.committed",
                title: "after the commit, before publishing"),
            Place(
                id: "A4-published", role: .orchestrator, point: "publisher.sent",
                title: "after publishing, before the confirms"),
            Place(
                id: "A4-confirmed", role: .orchestrator, point: "lane.before-ack",
                title: "after the confirms, before the ack"),
            Place(id: "A4-acknowledged", role: .orchestrator, point: "lane.acknowledged", title: "right after the ack"),
            Place(
                id: "A4-watchdog", role: .orchestrator, point: "watchdog.committed",
                title: "after the watchdog's commit"),
            Place(
                id: "A1-start", role: .orchestrator, point: "start.committed", title: "in /saga/start after the commit"),
            Place(
                id: "A2-start", role: .orchestrator, point: "start.before-commit",
                title: "in /saga/start before the commit"),
            Place(
                id: "A5-relay", role: .orchestrator, point: "outbox.confirmed",
                title: "outbox relay: after the confirms, before the mark"),
            Place(id: "A6-relay", role: .orchestrator, point: "outbox.claimed", title: "outbox relay: holding a claim"),
            Place(
                id: "A8-payment", role: .payment, point: "provider.after-call",
                title: "after the charge, before it is written down"),
            Place(
                id: "A9-payment", role: .payment, point: "provider.before-call",
                title: "before the charge, its key already stored"),
            Place(
                id: "A8-claimed", role: .payment, point: "charges.claimed", title: "pending charges: after the claim"),
            Place(
                id: "A8-recorded", role: .payment, point: "charges.recorded", title: "pending charges: after the commit"
            ),
            Place(
                id: "A8-answered", role: .payment, point: "charges.answered",
                title: "pending charges: after the confirms"),
            Place(
                id: "A10-letter", role: .notification, point: "letter.delivered",
                title: "after a letter went out, before it is written down"),
            Place(id: "A11-claimed", role: .expiry, point: "timers.claimed", title: "after the claim of a timer"),
            Place(
                id: "A11-told", role: .expiry, point: "timers.told",
                title: "after a timer rang, before it is written down"),
        ]
        + [FleetRole.reservation, .payment, .notification, .expiry].flatMap { role in
            [
                Place(
                    id: "A7-\(role.rawValue)-before", role: role, point: "ledger.before-commit",
                    title: "before the commit of a batch"),
                Place(
                    id: "A7-\(role.rawValue)-committed", role: role, point: "ledger.committed",
                    title: "after the commit, before publishing"),
                Place(
                    id: "A7-\(role.rawValue)-sent", role: role, point: "publisher.sent",
                    title: "after publishing, before the confirms"),
                Place(
                    id: "A7-\(role.rawValue)-confirmed", role: role, point: "lane.before-ack",
                    title: "after the confirms, before the ack"),
            ]
        }

    static let killPoints = places.map { place in
        Fault(
            place.id, "the \(place.role.rawValue) process dies \(place.title)",
            how: "SIGKILL at the point `\(place.point)`, first to third time", bound: .seconds(15), rate: 20
        ) { stage in
            // What only an event on sale or a late answer brings about does not come by itself.
            let publishing = Task {
                while !Task.isCancelled {
                    _ = try await stage.buyers.open()
                    try await Task.sleep(for: .milliseconds(300))
                }
            }
            defer { publishing.cancel() }
            let deaths = try await stage.fleet.die(place.role, at: place.point)
            guard deaths == 3 else { throw Trouble("it died \(deaths) times of 3 at \(place.point)") }
            return "died 3 times"
        }
    }
}
