import Audit
import Contracts
import FleetInspection
import FoundationEssentials
import Hummingbird
import Operations
import WebKit
import WireJSON

/// The routes by which operators look at dead letters, send them back, or drop them.
package struct DeadLetterRoutes: Sendable {
    let desk: DeadLetterService

    package init(desk: DeadLetterService) {
        self.desk = desk
    }

    func add(to ops: RouterGroup<some VisitorContext>) {
        ops.get("dead") { _, _ in Response.json(200, ["groups": try await desk.file.groups()]) }
        ops.get("dead/:queue") { request, context in try await list(request, queue(context)) }
        ops.get("letters/:id") { _, context in
            Response.json(200, try await letter(context.parameters.identifier(DeadLetterID.self)))
        }
        ops.post("dead/:queue/replay") { request, context in
            try await act(request, context, in: .waiting) { choice, visit, reason in
                try await desk.replay(choice, by: visit, because: reason)
            }
        }
        ops.post("dead/:queue/drop") { request, context in
            try await act(request, context, in: .waiting) { choice, visit, reason in
                guard let reason else { throw Wish.reasonWanted }
                return try await desk.drop(choice, by: visit, because: reason)
            }
        }
        ops.post("dead/:queue/restore") { request, context in
            try await act(request, context, in: .dropped) { choice, visit, reason in
                try await desk.restore(choice, by: visit, because: reason)
            }
        }
    }

    private func list(_ request: Request, _ queue: String) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        let word = try query.choice("state", among: DeadLetterState.allCases.map(\.rawValue))
        let letters = try await desk.file.page(
            queue, word.flatMap { DeadLetterState(rawValue: $0) } ?? .waiting, group: try query.text("group"),
            after: try query.identifier("cursor"), limit: limit)
        return .json(200, Page(letters, limit: limit) { $0.letter.description })
    }

    private func letter(_ id: DeadLetterID) async throws -> DeadLetterDetail {
        guard let letter = try await desk.file.letter(id) else { throw Problem(.notFound, "there is no letter \(id)") }
        return letter
    }

    private struct Wish: Decodable {
        static let fields = FieldTree.object([
            "group": .value, "letters": .list(.value), "limit": .value, "dryRun": .value, "reason": .value,
        ])

        let group: String?
        let letters: [DeadLetterID]?
        let limit: Int?
        let dryRun: Bool?
        let reason: String?

        static let reasonLength = 1...Limits.textLength
        static let reasonWanted = Problem.invalid([
            .init(pointer: "/reason", detail: "must have 1 to \(Limits.textLength) characters; to drop it is required")
        ])

        func choice(in queue: String) throws(Problem) -> DeadLetterChoice {
            let limit = limit ?? Limits.deadLettersAtOnce.upperBound
            guard Limits.deadLettersAtOnce.contains(limit) else {
                throw .invalid([.init(pointer: "/limit", detail: "must be in \(Limits.deadLettersAtOnce)")])
            }
            if let reason, !Self.reasonLength.contains(reason.unicodeScalars.count) { throw Self.reasonWanted }
            return DeadLetterChoice(queue: queue, group: group, letters: letters, limit: limit)
        }
    }

    /// Carries an operator's wish out, or says what it would touch.
    private func act(
        _ request: Request, _ context: some VisitorContext, in state: DeadLetterState,
        _ work: (DeadLetterChoice, OperatorVisit, String?) async throws -> DeadLetterOutcome
    ) async throws -> Response {
        let visit = try context.operatorVisit()
        let wish = try StrictBody.read(
            Wish.self, from: try await request.jsonBody(upTo: Limits.requestBodyBytes), fields: Wish.fields)
        var choice = try wish.choice(in: await queue(context))
        choice.state = state
        guard wish.dryRun != true else {
            visit.didNothing()
            return .json(200, try await desk.file.impact(of: choice))
        }
        return .json(200, try await work(choice, visit, wish.reason))
    }

    /// The queue in the path, which the fleet has or had.
    private func queue(_ context: some RequestContext) async throws -> String {
        let name = context.parameters.get("queue") ?? ""
        let known = DeadLetterBox.queues
        if known.contains(name) { return name }
        guard TextRule.permits(name), try await desk.file.knows(name) else {
            throw Problem(.notFound, "there is no such queue; the queues are \(known.joined(separator: ", "))")
        }
        return name
    }
}
