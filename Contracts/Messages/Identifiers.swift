import Crypto
import FoundationEssentials

/// A UUID that says what it names; on the wire it is the lower-case text form of RFC 9562.
package protocol Identifier: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    var uuid: UUID { get }
    init(_ uuid: UUID)
}

extension Identifier {
    /// A fresh identifier whose order is the order of creation (UUIDv7), which keeps indexes local.
    package static func make(at milliseconds: UInt64, using generator: inout some RandomNumberGenerator) -> Self {
        let random = (generator.next() as UInt64, generator.next() as UInt64)
        return Self(UUID(milliseconds: milliseconds, version: 7, random.0, random.1))
    }

    package static func make() -> Self {
        var generator = SystemRandomNumberGenerator()
        return make(at: Date().millisecondsSince1970, using: &generator)
    }

    /// Reads the text form in either case; nil when it is not a UUID.
    package init?(_ text: String) {
        guard let uuid = UUID(text: text) else { return nil }
        self.init(uuid)
    }

    package init?(_ text: Substring) {
        guard let uuid = UUID(text: text) else { return nil }
        self.init(uuid)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let uuid = UUID(text: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text.prefix(60))\" is not a UUID")
        }
        self.init(uuid)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { uuid.lowercaseText }

    package static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
}

/// Names one purchase, or another saga, for its whole life.
package struct SagaID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names one event that tickets are sold for.
package struct EventID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names one issued ticket.
package struct TicketID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names one filed dead letter.
package struct DeadLetterID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names one thing that an operator did.
package struct ActionID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }
}

/// Names one message and all its repeats: the key by which every effect happens once.
package struct MessageID: Identifier {
    package let uuid: UUID
    package init(_ uuid: UUID) { self.uuid = uuid }

    /// The id of the message of `kind` that a saga sends at `step`: the same for every repeat, and in the saga's
    /// time order (UUIDv8: the saga's 48-bit timestamp, then hash bits).
    package static func derived(from saga: SagaID, step: Int, kind: MessageKind) -> MessageID {
        derived(from: saga.uuid, "\(step).\(kind.rawValue)")
    }

    /// The id of something that follows from `origin` exactly once under the name `purpose`.
    package static func derived(from origin: UUID, _ purpose: String) -> MessageID {
        var hash = SHA256()
        let bytes = origin.bytes
        var data: [UInt8] = []
        data.reserveCapacity(bytes.count + purpose.utf8.count)
        for index in bytes.indices { data.append(bytes[index]) }
        data.append(contentsOf: purpose.utf8)
        hash.update(data: data)
        let (high, low) = hash.finalize().leadingWords
        return MessageID(UUID(milliseconds: origin.leadingMilliseconds, version: 8, high, low))
    }

    /// Takes any non-empty text that a publisher chose as its idempotency key: a UUID as it is, the rest by its hash.
    package init?(wire text: String) {
        guard !text.isEmpty else { return nil }
        if let uuid = UUID(text: text) {
            self.init(uuid)
        } else {
            let (high, low) = SHA256.hash(data: Array(text.utf8)).leadingWords
            self.init(UUID(milliseconds: high >> 16, version: 8, high, low))
        }
    }

    /// The id of a message from outside the fleet, in a space that no id of the fleet's own lies in.
    ///
    /// The fleet's ids are made of a time and of what anybody may know, so a stranger can work out the id that a message
    /// will have. Taken as it was chosen, such an id would make that message look like a repeat. The first bit of these
    /// ids is set, which in a time it is from the year 6429 on.
    package static func foreign(_ chosen: MessageID, from origin: String) -> MessageID {
        var data = Array("\(origin)\0".utf8)
        let bytes = chosen.uuid.bytes
        for index in bytes.indices { data.append(bytes[index]) }
        let (high, low) = SHA256.hash(data: data).leadingWords
        return MessageID(UUID(milliseconds: high >> 16 | 1 << 47, version: 8, high, low))
    }
}

extension SHA256.Digest {
    fileprivate var leadingWords: (UInt64, UInt64) {
        var bytes = makeIterator()
        func word() -> UInt64 { (0..<8).reduce(0) { word, _ in word << 8 | UInt64(bytes.next() ?? 0) } }
        return (word(), word())
    }
}

extension Date {
    package var millisecondsSince1970: UInt64 { UInt64(max(0, timeIntervalSince1970 * 1_000)) }
}
