import Contracts
import FleetRuntime
import FoundationEssentials
import WireJSON

/// What one message asks for: a letter, or nothing that could be done.
enum LetterRequest {
    case letter(RenderedMessage)
    case unusable(reason: String)

    init(_ envelope: Envelope) {
        guard envelope.kind == .notify else {
            self = .unusable(reason: DeadLetterReason.unexpectedKind(envelope.kind))
            return
        }
        guard let sagaID = envelope.sagaID else {
            self = .unusable(reason: DeadLetterReason.missingSaga)
            return
        }
        do {
            let command = try envelope.decode(SendNotification.self)
            try Self.check(command.userId, "userId", Limits.identifierLength)
            if let email = command.email { try Self.check(email, "email", Limits.emailLength) }
            self = .letter(RenderedMessage(command, for: sagaID))
        } catch {
            self = .unusable(reason: DeadLetterReason.malformedBody(error))
        }
    }

    var letter: RenderedMessage? {
        if case .letter(let letter) = self { letter } else { nil }
    }

    /// The rule by which the orchestrator let the buyer in, so that whoever bought is told.
    ///
    /// It keeps a line break from
    /// forging a header of a mail.
    private static func check(_ address: String, _ field: String, _ limit: Int) throws {
        guard TextRule.fits(address, upTo: limit) else { throw UnusableAddress(field: field, limit: limit) }
    }
}

/// An address that cannot be written to.
private struct UnusableAddress: Error, CustomStringConvertible {
    let field: String
    let limit: Int
    var description: String { "\(field) \(TextRule.demand(upTo: limit))" }
}
