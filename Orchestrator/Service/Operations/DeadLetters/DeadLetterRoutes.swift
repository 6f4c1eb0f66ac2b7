import Contracts
import FleetRuntime
import FoundationEssentials
import Hummingbird

/// The routes by which operators look at dead letters, send them back, or drop them.
struct DeadLetterRoutes: Sendable {
    let desk: DeadLetterDesk
    let keys: OperatorKeys

    func add(to ops: RouterGroup<some RequestContext>) {
        ops.get("dead") { _, _ in Response.json(200, ["groups": try await desk.file.groups()]) }
        ops.get("dead/:queue") { request, context in try await list(request, context.parameters.queue()) }
        ops.get("letters/:id") { _, context in
            Response.json(200, try await letter(context.parameters.identifier(DeadLetterID.self)))
        }
        ops.post("dead/:queue/replay") { request, context in try await replay(request, context.parameters.queue()) }
        ops.post("dead/:queue/drop") { request, context in try await drop(request, context.parameters.queue()) }
        ops.get("actions") { request, _ in try await actions(request) }
        ops.get("actions/:id") { _, context in
            Response.json(200, try await action(context.parameters.identifier(ActionID.self)))
        }
    }

    private func list(_ request: Request, _ queue: String) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        let letters = try await desk.file.page(
            queue, group: try query.text("group"), after: try query.identifier("cursor"), limit: limit)
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

    private func wish(_ request: Request) async throws -> Wish {
        try StrictBody.read(
            Wish.self, from: try await request.jsonBody(upTo: Limits.requestBodyBytes), fields: Wish.fields)
    }

    private func replay(_ request: Request, _ queue: String) async throws -> Response {
        let wish = try await wish(request)
        let choice = try wish.choice(in: queue)
        guard wish.dryRun != true else { return .json(200, try await desk.file.impact(of: choice)) }
        return .json(200, try await desk.replay(choice, by: keys.name(of: request) ?? "", because: wish.reason))
    }

    private func drop(_ request: Request, _ queue: String) async throws -> Response {
        let wish = try await wish(request)
        let choice = try wish.choice(in: queue)
        guard wish.dryRun != true else { return .json(200, try await desk.file.impact(of: choice)) }
        guard let reason = wish.reason else { throw Wish.reasonWanted }
        return .json(200, try await desk.drop(choice, by: keys.name(of: request) ?? "", because: reason))
    }

    private func actions(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        let actions = try await desk.file.actions(nil, before: try query.identifier("cursor"), limit: limit)
        return .json(200, Page(actions, limit: limit) { $0.action.description })
    }

    private func action(_ id: ActionID) async throws -> OperatorAction {
        guard let action = try await desk.file.actions(id, before: nil, limit: 1).first else {
            throw Problem(.notFound, "there is no action \(id)")
        }
        return action
    }
}

extension Parameters {
    /// The queue in the path; a name that no queue has finds no letters.
    fileprivate func queue() throws(Problem) -> String {
        guard let name = get("queue"), TextRule.permits(name) else {
            throw Problem(.notFound, "there is no such queue")
        }
        return name
    }
}
