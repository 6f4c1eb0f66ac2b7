/// Remembers which statements the server has already parsed, at most `limit`, the least recently used leave first.
struct PreparedStatements {
    /// The same text with other parameter types is another statement.
    struct Key: Hashable {
        let sql: String
        let oids: [UInt32]
    }

    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    /// Names that the server still knows and nobody will use; to be deallocated when no transaction is open.
    private var evicted: [String] = []

    init(limit: Int = 256) {
        self.limit = limit
    }

    /// The name for a statement, and whether it has to be prepared first.
    mutating func name(for key: Key) -> (name: String, isNew: Bool) {
        clock += 1
        if let name = entries[key]?.name {
            entries[key]?.lastUse = clock
            return (name, false)
        }
        if entries.count >= limit { evictOldest() }
        let name = "s\(clock)"
        entries[key] = Entry(name: name, lastUse: clock)
        return (name, true)
    }

    /// Forgets a statement that was not prepared after all.
    mutating func forget(_ key: Key) {
        entries[key] = nil
    }

    /// Forgets a statement whose plan no longer fits the tables, so that its next use prepares it anew.
    mutating func retire(_ key: Key) {
        if let entry = entries.removeValue(forKey: key) { evicted.append(entry.name) }
    }

    /// Hands out the names to deallocate, once.
    mutating func takeEvicted() -> [String] {
        defer { evicted = [] }
        return evicted
    }

    private mutating func evictOldest() {
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
        evicted.append(oldest.value.name)
        entries[oldest.key] = nil
    }
}
