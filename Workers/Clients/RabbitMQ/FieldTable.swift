/// What AMQP calls a table: a message's headers or a queue's arguments, few and each with its name.
///
/// A list, not a hash table: of three or four entries the right one is found sooner than its name is hashed.
package struct FieldTable: Sendable {
    private var entries: [(name: String, value: HeaderValue)] = []

    package init() {}

    package init(_ entries: some Sequence<(String, HeaderValue)>) {
        for (name, value) in entries { self[name] = value }
    }

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    package mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

    package subscript(name: String) -> HeaderValue? {
        get { entries.first { $0.name == name }?.value }
        set {
            let index = entries.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): entries[index].value = value
            case (let index?, nil): entries.remove(at: index)
            case (nil, let value?): entries.append((name, value))
            case (nil, nil): break
            }
        }
    }

    package func filter(_ isKept: (String, HeaderValue) throws -> Bool) rethrows -> FieldTable {
        var kept = self
        kept.entries = try entries.filter { try isKept($0.name, $0.value) }
        return kept
    }
}

extension FieldTable: Sequence {
    package func makeIterator() -> IndexingIterator<[(name: String, value: HeaderValue)]> { entries.makeIterator() }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral entries: (String, HeaderValue)...) { self.init(entries) }
}

/// The order does not count.
extension FieldTable: Equatable {
    package static func == (left: FieldTable, right: FieldTable) -> Bool {
        left.count == right.count && left.entries.allSatisfy { right[$0.name] == $0.value }
    }
}
