import Contracts
import FleetRuntime
import FoundationEssentials

/// What is known of a request under the id that its sender chose: over AMQP the `message_id`, over HTTP the
/// `Idempotency-Key`.
///
/// An id belongs to one request, whatever its kind, and the first answer to it is its answer.
package struct RequestRecord: Sendable, Equatable {
    package enum Answer: Sendable, Equatable {
        /// It is being carried out, and its sender has not been answered.
        case pending
        case accepted
        case rejected(Problem)
    }

    /// The id, behind the name of the space in which it was chosen: `amqp:…` or `http:…`.
    package let key: String
    package let kind: MessageKind
    /// The hash of what was asked; requests of different kinds never have the same.
    package let fingerprint: Data
    /// The saga or event that the request began or is about.
    package let subject: UUID?
    package let answer: Answer

    package init(key: String, kind: MessageKind, fingerprint: Data, subject: UUID?, answer: Answer) {
        self.key = key
        self.kind = kind
        self.fingerprint = fingerprint
        self.subject = subject
        self.answer = answer
    }

    /// Keys are told apart by their bytes.
    package var exactKey: ExactText { ExactText(key) }

    package func answered(_ answer: Answer) -> RequestRecord {
        RequestRecord(key: key, kind: kind, fingerprint: fingerprint, subject: subject, answer: answer)
    }

    /// Whether it is recorded for as long as the database lives; what began nothing goes after `RequestLimits.memory`.
    var isForEver: Bool {
        switch (answer, kind) {
        case (.accepted, .purchaseStart), (.accepted, .eventPublish): true
        case (.accepted, _), (.pending, _), (.rejected, _): false
        }
    }
}

/// For how long, and of how many requests, it is remembered that they were rejected.
package enum RequestLimits {
    package static let memory = Duration.seconds(7 * 86_400)
    /// Beyond so many the oldest are forgotten before their time.
    package static let count = 2_000_000
    package static let sweep = 10_000
}

/// The record of requests by the ids that their senders chose.
package protocol RequestStore: Sendable {
    /// Records requests whose ids are free, in one go; returns what is recorded under the ids of the others.
    func add(_ requests: [RequestRecord]) async throws -> [ExactText: RequestRecord]
    /// Writes down the answers to requests that were pending.
    func answer(_ requests: [RequestRecord]) async throws
    /// Forgets what need not be remembered any longer, at most a sweep's worth; returns how much that was.
    func forget() async throws -> Int
}

extension RequestStore {
    /// Records requests, and returns for each what is recorded under its id now: itself where the id was free.
    package func take(_ requests: [RequestRecord]) async throws -> [RequestRecord] {
        guard !requests.isEmpty else { return [] }
        var standing = try await add(requests)
        return requests.map { request in
            if let record = standing[request.exactKey] { return record }
            standing[request.exactKey] = request
            return request
        }
    }
}

/// Forgets old rejections and cancels.
package struct ForgottenRequests: PeriodicJob {
    package let name = "requests"
    let requests: any RequestStore

    package init(requests: any RequestStore) {
        self.requests = requests
    }

    package func runOnce() async throws -> Int {
        try await requests.forget()
    }
}

extension RequestRecord {
    /// Why a request is rejected over which this record stands; nil when it is not.
    package func problem(for request: RequestRecord) -> Problem? {
        guard fingerprint == request.fingerprint else {
            return .keyReused(by: kind == .purchaseStart ? subject.map { SagaID($0) } : nil)
        }
        guard case .rejected(let problem) = answer else { return nil }
        return problem
    }
}

extension Problem {
    /// An id belongs to another request, perhaps one that began a saga.
    package static func keyReused(by saga: SagaID?) -> Problem {
        Problem(.keyReused, "the key was used for another request", sagaId: saga)
    }
}
