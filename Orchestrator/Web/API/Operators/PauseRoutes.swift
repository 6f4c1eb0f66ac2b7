import Audit
import Catalogue
import Contracts
import FoundationEssentials
import Hummingbird
import WebKit

/// The routes by which operators stop selling, and go on.
///
/// Purchases that are under way go on; whoever asks to start one is told why it cannot be.
package struct PauseRoutes: Sendable {
    let pauses: SalesPauses
    let book: PostgresPauseStore
    let catalogue: EventCatalogue

    package init(pauses: SalesPauses, book: PostgresPauseStore, catalogue: EventCatalogue) {
        self.pauses = pauses
        self.book = book
        self.catalogue = catalogue
    }

    func add(to ops: RouterGroup<some VisitorContext>) {
        ops.get("pauses") { _, _ in Response.json(200, try await answer()) }
        ops.post("pauses") { request, context in try await pause(request, context) }
        ops.post("pauses/end") { request, context in try await resume(request, context) }
    }

    private struct Wish: Decodable {
        static let fields = FieldTree.object(["eventId": .value, "all": .value, "reason": .value])

        let eventId: EventID?
        let all: Bool?
        let reason: String?

        /// - Throws: `Problem` unless either one event is named or all are meant.
        func check() throws(Problem) {
            var inspection = Inspection()
            inspection.require(
                (eventId != nil) != (all == true), "/eventId", "is required, or all with the value true; not both")
            if let reason { inspection.requireText(reason, "/reason", upTo: Limits.textLength) }
            try inspection.finish()
        }

        var subject: String { eventId.map { "event \($0)" } ?? "all events" }
    }

    private func wish(_ request: Request) async throws -> Wish {
        let wish = try StrictBody.read(
            Wish.self, from: try await request.jsonBody(upTo: Limits.requestBodyBytes), fields: Wish.fields)
        try wish.check()
        if let id = wish.eventId, try await !catalogue.exists(id) {
            throw Problem(.notFound, "there is no event \(id)")
        }
        return wish
    }

    private func pause(_ request: Request, _ context: some VisitorContext) async throws -> Response {
        let wish = try await wish(request)
        guard let reason = wish.reason else {
            throw Problem.invalid([.init(pointer: "/reason", detail: "is required; buyers are told it")])
        }
        let action = try await context.operatorVisit().willDo(
            NewAction(word: "pause", subject: wish.subject, reason: reason))
        try await book.pause(wish.eventId, because: reason, by: action)
        return .json(200, try await answer())
    }

    private func resume(_ request: Request, _ context: some VisitorContext) async throws -> Response {
        let wish = try await wish(request)
        try await context.operatorVisit().willDo(
            NewAction(word: "resume", subject: wish.subject, reason: wish.reason))
        try await book.resume(wish.eventId)
        return .json(200, try await answer())
    }

    /// What is paused now, which this process then knows too.
    private func answer() async throws -> [String: [SalesPause]] {
        try await pauses.read()
        return ["pauses": try await book.pauses()]
    }
}
