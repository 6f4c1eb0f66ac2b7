/// Knows which published messages still wait for the broker's answer, and when a whole batch has its answers.
///
/// Tags count up from 1 on a channel in confirm mode. Answers come one by one or for all tags up to one, in any
/// order; a `basic.return` comes before the answer to its message and carries no tag.
struct ConfirmTracker {
    typealias BatchID = Int
    typealias Outcome = (batch: BatchID, refusals: [Refusal])

    private var batches: [Batch] = []
    private var nextTag: UInt64 = 1
    private var nextBatch = 0

    /// Gives the next tags to the publications at `indices`; `refused` are those that are not sent at all.
    mutating func register(_ publications: [Publication], sending indices: [Int], refused: [Refusal]) -> BatchID {
        defer {
            nextTag += UInt64(indices.count)
            nextBatch += 1
        }
        batches.append(
            Batch(id: nextBatch, first: nextTag, publications: publications, indices: indices, refused: refused))
        return nextBatch
    }

    /// Records the answer for one tag, or for all up to it (tag 0: for all), and names the batches it completes.
    ///
    /// Answers to unknown tags, those of forgotten batches among them, change nothing.
    mutating func settle(_ tag: UInt64, isMultiple: Bool, isAccepted: Bool) -> [Outcome] {
        let last = isMultiple && tag == 0 ? UInt64.max : tag
        var isComplete = false
        for position in batches.indices {
            guard batches[position].first <= last else { break }
            batches[position].settle(last, isMultiple: isMultiple, isAccepted: isAccepted)
            isComplete = isComplete || batches[position].isComplete
        }
        guard isComplete else { return [] }
        defer { batches.removeAll(where: \.isComplete) }
        return batches.filter(\.isComplete).map { ($0.id, $0.outcome) }
    }

    /// Marks a returned message, so that the answer that follows does not count as success.
    ///
    /// Several waiting publications with the same route, message id and correlation id cannot be told apart: all of
    /// them are refused, for sending one twice is safe and losing one is not.
    mutating func refuse(returned message: Delivery, code: UInt16, text: String) {
        for position in batches.indices {
            batches[position].refuse(matching: message, reason: .returned(code: code, text: text))
        }
    }

    /// Stops tracking a batch and names what was refused of it, and what has no answer yet.
    mutating func abandon(_ id: BatchID) -> [Refusal] {
        guard let position = batches.firstIndex(where: { $0.id == id }) else { return [] }
        return batches.remove(at: position).outcomeSoFar
    }

    /// Stops tracking a batch; its messages may still reach their queues.
    mutating func forget(_ id: BatchID) {
        batches.removeAll { $0.id == id }
    }
}

private struct Batch {
    let id: ConfirmTracker.BatchID
    let first: UInt64
    let publications: [Publication]
    let indices: [Int]
    private var isSettled: [Bool]
    private var firstOpen = 0
    private var openCount: Int
    private var reasons: [Int: Refusal.Reason] = [:]

    init(id: Int, first: UInt64, publications: [Publication], indices: [Int], refused: [Refusal]) {
        self.id = id
        self.first = first
        self.publications = publications
        self.indices = indices
        isSettled = Array(repeating: false, count: indices.count)
        openCount = indices.count
        for refusal in refused { reasons[refusal.index] = refusal.reason }
    }

    var isComplete: Bool { openCount == 0 }

    var outcome: [Refusal] {
        reasons.map { Refusal(index: $0.key, reason: $0.value) }.sorted { $0.index < $1.index }
    }

    /// The same, with what has no answer yet as unanswered.
    var outcomeSoFar: [Refusal] {
        var reasons = reasons
        for position in indices.indices where !isSettled[position] && reasons[indices[position]] == nil {
            reasons[indices[position]] = .unanswered
        }
        return reasons.map { Refusal(index: $0.key, reason: $0.value) }.sorted { $0.index < $1.index }
    }

    mutating func settle(_ tag: UInt64, isMultiple: Bool, isAccepted: Bool) {
        guard tag >= first else { return }
        let end = Int(min(tag - first, UInt64(isSettled.count - 1))) + 1
        if isMultiple {
            for position in firstOpen..<max(firstOpen, end) { settle(at: position, isAccepted: isAccepted) }
        } else if tag - first < isSettled.count {
            settle(at: end - 1, isAccepted: isAccepted)
        }
        while firstOpen < isSettled.count, isSettled[firstOpen] { firstOpen += 1 }
    }

    private mutating func settle(at position: Int, isAccepted: Bool) {
        guard !isSettled[position] else { return }
        isSettled[position] = true
        openCount -= 1
        let index = indices[position]
        if !isAccepted, reasons[index] == nil { reasons[index] = .nacked }
    }

    mutating func refuse(matching message: Delivery, reason: Refusal.Reason) {
        for position in firstOpen..<isSettled.count where !isSettled[position] {
            let index = indices[position]
            if publications[index].mayBe(message), reasons[index] == nil { reasons[index] = reason }
        }
    }
}

extension Publication {
    fileprivate func mayBe(_ returned: Delivery) -> Bool {
        isMandatory && routingKey == returned.routingKey && exchange == returned.exchange
            && properties.messageID == returned.properties.messageID
            && properties.correlationID == returned.properties.correlationID
    }
}
