import Audit
import Contracts
import Hummingbird
import WebKit

/// The routes by which operators read what operators did.
struct AuditRoutes: Sendable {
    let book: AuditStore

    func add(to ops: RouterGroup<some RequestContext>) {
        ops.get("actions") { request, _ in try await list(request) }
        ops.get("actions/:id") { _, context in
            Response.json(200, try await action(context.parameters.identifier(ActionID.self)))
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        let actions = try await book.actions(nil, before: try query.identifier("cursor"), limit: limit)
        return .json(200, Page(actions, limit: limit) { $0.action.description })
    }

    private func action(_ id: ActionID) async throws -> OperatorAction {
        guard let action = try await book.actions(id, before: nil, limit: 1).first else {
            throw Problem(.notFound, "there is no action \(id)")
        }
        return action
    }
}
