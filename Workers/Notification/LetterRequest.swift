import Contracts
import FleetRuntime
import FoundationEssentials

/// What one message asks for: a letter, or nothing that could be done.
enum LetterRequest {
    case letter(Letter)
    case unusable(reason: String)

    init(_ envelope: Envelope) {
        guard envelope.kind == .notify else {
            self = .unusable(reason: BurialReason.unexpectedKind(envelope.kind))
            return
        }
        guard let sagaID = envelope.sagaID else {
            self = .unusable(reason: BurialReason.missingSaga)
            return
        }
        do {
            let command = try envelope.decode(SendNotification.self)
            try Self.check(command.userId, "userId", 1...Limits.identifierLength)
            if let email = command.email { try Self.check(email, "email", 3...Limits.emailLength) }
            self = .letter(Letter(command, for: sagaID))
        } catch {
            self = .unusable(reason: BurialReason.malformedBody(error))
        }
    }

    var letter: Letter? {
        if case .letter(let letter) = self { letter } else { nil }
    }

    /// A line break in an address could forge a header of a mail, and a NUL cannot be stored.
    private static func check(_ address: String, _ field: String, _ length: ClosedRange<Int>) throws {
        guard length.contains(address.count),
            address.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw UnusableAddress(field: field) }
    }
}

/// An address that cannot be written to.
private struct UnusableAddress: Error, CustomStringConvertible {
    let field: String
    var description: String { "\(field) is empty, too long or holds control characters" }
}
