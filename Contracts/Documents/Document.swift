/// A tree of JSON whose objects keep the order in which they were written.
package enum Document: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: Document

        package init(_ name: String, _ value: Document) {
            self.name = name
            self.value = value
        }
    }

    case object([Member])
    case list([Document])
    case text(String)
    case integer(Int)
    case number(Double)
    case flag(Bool)
    case null

    /// The member of that name; nil when there is none, or this is no object.
    package subscript(name: String) -> Document? {
        members.first { $0.name == name }?.value
    }

    /// What lies at the end of these names.
    package subscript(path: [String]) -> Document? {
        path.reduce(self) { document, name in document?[name] }
    }

    package var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    package var items: [Document] {
        if case .list(let items) = self { items } else { [] }
    }

    package var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// The same tree with every object, innermost first, as `change` makes it.
    func mapObjects(
        _ change: ([Member]) throws(UnreadableDocument) -> [Member]
    ) throws(UnreadableDocument) -> Document {
        switch self {
        case .object(let members):
            var inner: [Member] = []
            for member in members { inner.append(Member(member.name, try member.value.mapObjects(change))) }
            return .object(try change(inner))
        case .list(let items):
            var inner: [Document] = []
            for item in items { inner.append(try item.mapObjects(change)) }
            return .list(inner)
        case .text, .integer, .number, .flag, .null: return self
        }
    }
}

/// A document of the contract that cannot be read: a mistake of ours.
package struct UnreadableDocument: Error, CustomStringConvertible {
    package let description: String
}
