/// What each code means and what helps, in the words of the page at its `type`.
extension Problem.Code {
    package var meaning: String {
        switch self {
        case .malformedBody: "The body is no JSON object in UTF-8, broke off, or is not framed as HTTP wants it."
        case .invalid:
            "A field, a parameter or a header breaks a rule. `errors` names up to 20 mistakes, each with its place."
        case .unsupportedMediaType: "The route takes `application/json` and no form of a web page."
        case .tooLarge: "The body is longer than the route takes."
        case .operatorKeyRequired: "Routes under `/ops` are for operators, and no right key was shown."
        case .crossSite: "A page of another site made a browser send this, which changes something here."
        case .notFound: "There is nothing at this path, or nothing of this id."
        case .methodNotAllowed:
            "The path exists, and does not take this method. The header `Allow` names those it takes."
        case .purchaseInProgress: "This user has a purchase of this event under way. `sagaId` names it."
        case .soldOut: "Fewer places are left than were wanted."
        case .salesEnded: "The event has begun or ended, so that its tickets are no longer sold."
        case .salesPaused: "An operator has stopped the sale of this event, or of all. `detail` says when and why."
        case .alreadyPaid: "The purchase is paid, so that it cannot be cancelled any more."
        case .alreadyEnded: "The purchase has ended."
        case .notCompleted: "Only a completed purchase can be refunded."
        case .keyReused: "The idempotency key, or the message id, came before with another request."
        case .expectationFailed: "The header `Expect` asks for something else than `100-continue`."
        case .tooManyRequests: "Too many wrong operator keys came from this address."
        case .unavailable: "A part of the service cannot be reached now, or too much waits already. Nothing was begun."
        case .internalError: "Something failed on our side, and was logged."
        }
    }

    package var advice: String {
        switch self {
        case .malformedBody: "Check how the body is written and sent. The same bytes are refused again."
        case .invalid: "Mend each place that `errors` points at, and send the request again."
        case .unsupportedMediaType: "Send `Content-Type: application/json`."
        case .tooLarge: "Send less: publish a hall in several events, or names that are shorter."
        case .operatorKeyRequired: "Send `Authorization: Bearer KEY` with one of `OPERATOR_KEYS`."
        case .crossSite: "Send it from the service's own pages, or from a program."
        case .notFound: "Check the path and the id."
        case .methodNotAllowed: "Use a method that `Allow` names."
        case .purchaseInProgress: "Follow that purchase at `/sagas/{sagaId}`, or cancel it."
        case .soldOut:
            "Ask for fewer places or another tier. Places come back when holds end: a new key may succeed later."
        case .salesEnded: "Choose another event."
        case .salesPaused: "Ask again later, under a new key."
        case .alreadyPaid: "Ask for a refund at `/sagas/{sagaId}/refund`."
        case .alreadyEnded: "Look at its outcome at `/sagas/{sagaId}`."
        case .notCompleted: "Cancel it at `/sagas/{sagaId}/cancel`, or wait for its outcome."
        case .keyReused: "Use a new key for a new request, and the same body for a repeat."
        case .expectationFailed: "Leave the header out, or send `Expect: 100-continue`."
        case .tooManyRequests: "Wait for as many seconds as `Retry-After` says, and check the key."
        case .unavailable: "Send the same request under the same key after the seconds of `Retry-After`."
        case .internalError: "Repeat the request under the same key; tell the operators if it fails again."
        }
    }
}
