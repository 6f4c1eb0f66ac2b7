/// What was wrong with a request, for people and for programs (RFC 9457).
package struct Problem: Error, Codable, Sendable, Equatable {
    /// One mistake and where it stands.
    package struct Mistake: Codable, Sendable, Equatable {
        /// RFC 6901, into the request's body.
        package let pointer: String
        package let detail: String

        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    /// The path, at the orchestrator's address, of a page that says what the code means and what to do.
    package let type: String
    package let title: String
    package let status: Int
    package let detail: String
    /// A stable word for programs.
    package let code: Code
    package var errors: [Mistake]?
    /// The saga that stands in the way, or that the request was about.
    package var sagaId: SagaID?
    /// How many places the tier has left, where fewer are left than were wanted.
    package var available: Int?

    package enum Code: String, Codable, Sendable, CaseIterable {
        case malformedBody = "malformed-body"
        case invalid = "invalid"
        case unsupportedMediaType = "unsupported-media-type"
        case tooLarge = "too-large"
        case operatorKeyRequired = "operator-key-required"
        case crossSite = "cross-site"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case purchaseInProgress = "purchase-in-progress"
        case soldOut = "sold-out"
        case salesEnded = "sales-ended"
        case salesPaused = "sales-paused"
        case alreadyPaid = "already-paid"
        case alreadyEnded = "already-ended"
        case notCompleted = "not-completed"
        case keyReused = "idempotency-key-reused"
        case expectationFailed = "expectation-failed"
        case tooManyRequests = "too-many-requests"
        case unavailable = "unavailable"
        case internalError = "internal-error"
    }

    package init(_ code: Code, _ detail: String, errors: [Mistake]? = nil, sagaId: SagaID? = nil, available: Int? = nil)
    {
        self.type = "/problems/\(code.rawValue)"
        self.title = code.title
        self.status = code.status
        self.detail = detail
        self.code = code
        self.errors = errors
        self.sagaId = sagaId
        self.available = available
    }
}

extension Problem.Code {
    package var status: Int {
        switch self {
        case .malformedBody: 400
        case .operatorKeyRequired: 401
        case .crossSite: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .purchaseInProgress, .soldOut, .salesEnded, .salesPaused, .alreadyPaid, .alreadyEnded, .notCompleted: 409
        case .tooLarge: 413
        case .unsupportedMediaType: 415
        case .expectationFailed: 417
        case .invalid, .keyReused: 422
        case .tooManyRequests: 429
        case .internalError: 500
        case .unavailable: 503
        }
    }

    package var title: String {
        switch self {
        case .malformedBody: "The body cannot be read"
        case .invalid: "The request breaks a rule"
        case .unsupportedMediaType: "The content type is not supported"
        case .tooLarge: "The body is too large"
        case .operatorKeyRequired: "Only operators may do this"
        case .crossSite: "The request comes from another site"
        case .notFound: "Nothing is there"
        case .methodNotAllowed: "The method is not allowed here"
        case .purchaseInProgress: "A purchase of this user for this event is under way"
        case .soldOut: "Sold out"
        case .salesEnded: "Tickets are no longer sold"
        case .salesPaused: "Sales are paused"
        case .alreadyPaid: "The purchase is paid"
        case .alreadyEnded: "The purchase has ended"
        case .notCompleted: "The purchase is not completed"
        case .keyReused: "The idempotency key belongs to another request"
        case .expectationFailed: "The expectation cannot be met"
        case .tooManyRequests: "Too many requests"
        case .unavailable: "The service cannot answer now"
        case .internalError: "Something went wrong on our side"
        }
    }
}
