/// What AMQP calls a table: a message's headers or a queue's arguments, few and each with its name.
///
/// A list, not a hash table: of three or four entries the right one is found sooner than its name is hashed.
package struct FieldTable: Sendable {
    private var entries: [(name: String, value: HeaderValue)] = []

    package init() {}

    /// Of two entries with one name the last counts.
    package init(_ entries: some Collection<(String, HeaderValue)>) {
        self.entries.reserveCapacity(entries.count)
        guard entries.count > Self.few else {
            for (name, value) in entries { self[name] = value }
            return
        }
        var places: [String: Int] = [:]
        for (name, value) in entries {
            if let place = places[name] {
                self.entries[place].value = value
            } else {
                places[name] = self.entries.count
                self.entries.append((name, value))
            }
        }
    }

    /// Beyond this, searching for each name before it is added would take longer than hashing: a stranger's message may
    /// hold thousands.
    private static let few = 16

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

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
