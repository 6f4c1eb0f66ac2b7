import Audit
import Contracts
import FoundationEssentials
import Hummingbird
import Operations
import WebKit

/// The routes by which operators look at answers that nobody took, have them sent again, or drop them.
package struct UndeliveredRoutes: Sendable {
    let answers: PostgresUndeliveredAnswers

    package init(answers: PostgresUndeliveredAnswers) {
        self.answers = answers
    }

    func add(to ops: RouterGroup<some VisitorContext>) {
        ops.get("undelivered") { request, _ in
            let limit = try QueryReader(request).limit()
            return Response.json(200, ["queues": try await answers.queues(limit)])
        }
        ops.get("undelivered/answers") { request, _ in try await list(request) }
        ops.post("undelivered/retry") { request, context in
            try await act("retry answers", on: try await wish(request), context) { try await answers.retry($0) }
        }
        ops.post("undelivered/drop") { request, context in
            let wish = try await wish(request)
            guard wish.reason != nil else { throw Wish.reasonWanted }
            return try await act("drop answers", on: wish, context) { try await answers.drop($0) }
        }
    }

    /// Carries an operator's wish out, and leaves its line in the audit before.
    private func act(
        _ word: String, on wish: Wish, _ context: some VisitorContext, _ work: (String) async throws -> Int
    ) async throws -> Response {
        let visit = try context.operatorVisit()
        let count = try await answers.count(to: wish.queue)
        guard count > 0 else {
            visit.didNothing()
            return .json(200, UndeliveredOutcome(action: nil, answers: 0))
        }
        let action = try await visit.willDo(
            NewAction(word: word, subject: wish.queue, letters: count, reason: wish.reason))
        return .json(200, UndeliveredOutcome(action: action, answers: try await work(wish.queue)))
    }

    private func list(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        guard let queue = try query.text("queue") else {
            throw Problem(
                .invalid, "queue is required", errors: [.init(pointer: "?queue", detail: "is required")])
        }
        let found = try await answers.answers(to: queue, after: try query.identifier("cursor"), limit: limit)
        return .json(200, Page(found, limit: limit) { $0.messageId })
    }

    private struct Wish: Decodable {
        static let fields = FieldTree.object(["queue": .value, "reason": .value])
        static let reasonLength = 1...Limits.textLength
        static let reasonWanted = Problem.invalid([
            .init(pointer: "/reason", detail: "must have 1 to \(Limits.textLength) characters; to drop it is required")
        ])

        let queue: String
        let reason: String?
    }

    private func wish(_ request: Request) async throws -> Wish {
        let wish = try StrictBody.read(
            Wish.self, from: try await request.jsonBody(upTo: Limits.requestBodyBytes), fields: Wish.fields)
        guard (1...Limits.replyToLength).contains(wish.queue.utf8.count), !wish.queue.utf8.contains(0) else {
            throw Problem.invalid([
                .init(pointer: "/queue", detail: "must have 1 to \(Limits.replyToLength) bytes, none of them zero")
            ])
        }
        if let reason = wish.reason,
            !Wish.reasonLength.contains(reason.unicodeScalars.count) || reason.utf8.contains(0)
        {
            throw Wish.reasonWanted
        }
        return wish
    }
}
