/// Who holds which row, and who waits for it, first come first served.
struct LockTable {
    typealias Waiter = CheckedContinuation<Void, Never>

    private var owners: [RowKey: Int] = [:]
    private var held: [Int: [RowKey]] = [:]
    private var queues: [RowKey: [(transaction: Int, waiter: Waiter)]] = [:]
    private var waitsFor: [Int: RowKey] = [:]

    func isFree(_ key: RowKey, for transaction: Int) -> Bool {
        owners[key].map { $0 == transaction } ?? true
    }

    mutating func take(_ key: RowKey, for transaction: Int) {
        guard owners[key] == nil else { return }
        owners[key] = transaction
        held[transaction, default: []].append(key)
    }

    /// Whether waiting for the row would never end, because its owner waits, through others, for this transaction.
    func closesCircle(_ transaction: Int, waitingFor key: RowKey) -> Bool {
        var key = key
        while let owner = owners[key] {
            if owner == transaction { return true }
            guard let next = waitsFor[owner] else { return false }
            key = next
        }
        return false
    }

    mutating func enqueue(_ waiter: Waiter, of transaction: Int, for key: RowKey) {
        waitsFor[transaction] = key
        queues[key, default: []].append((transaction, waiter))
    }

    /// Gives up everything a transaction holds or waits for; returns who can go on, which includes itself if it waited.
    mutating func release(_ transaction: Int) -> [Waiter] {
        var woken: [Waiter] = []
        if let key = waitsFor.removeValue(forKey: transaction),
            let place = queues[key]?.firstIndex(where: { $0.transaction == transaction })
        {
            woken.append(queues[key, default: []].remove(at: place).waiter)
        }
        for key in held.removeValue(forKey: transaction) ?? [] {
            owners[key] = nil
            guard var queue = queues[key], !queue.isEmpty else { continue }
            let next = queue.removeFirst()
            queues[key] = queue.isEmpty ? nil : queue
            waitsFor[next.transaction] = nil
            take(key, for: next.transaction)
            woken.append(next.waiter)
        }
        return woken
    }
}
