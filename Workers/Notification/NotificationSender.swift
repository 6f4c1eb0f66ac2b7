import Connections
import Contracts
import FoundationEssentials
import Synchronization

/// How one attempt ended.
package enum DeliveryResult: Sendable, Equatable {
    case delivered
    /// No later attempt can succeed.
    case refused(reason: String)
    /// A later attempt may succeed.
    case failed(reason: String)
}

/// Gives letters to a sink, several at a time, and a round of them only so long.
///
/// It remembers what it delivered until a later round shows that this was recorded, so that a database that fails in
/// between does not make a second letter.
package final class NotificationSender: Sendable {
    private static let delivered = FaultPoint("letter.delivered")
    /// Tells this desk's claims from those of others.
    let id = UUID()
    let sink: any NotificationSink
    /// Letters under way at once.
    let width: Int
    /// The time for one round.
    let patience: Duration
    private let memory = Mutex(Memory())

    /// The rounds since the last one that was surely recorded.
    private struct Memory {
        var attempted: Set<LetterKey> = []
        var delivered: Set<LetterKey> = []
    }

    package init(sink: any NotificationSink, width: Int = 64, patience: Duration = .seconds(10)) {
        self.sink = sink
        self.width = width
        self.patience = patience
    }

    /// Delivers each letter, unless it was just delivered; the keys must differ.
    func deliver(_ letters: [RenderedMessage]) async -> [LetterKey: DeliveryResult] {
        let known = remembered(of: letters)
        var results = Dictionary(uniqueKeysWithValues: known.map { ($0, DeliveryResult.delivered) })
        let round = await carryOut(letters.filter { !known.contains($0.key) })
        results.merge(round) { $1 }
        memory.withLock { memory in
            memory.attempted.formUnion(round.keys)
            memory.delivered.formUnion(round.filter { $0.value == .delivered }.keys)
        }
        return results
    }

    /// Rounds follow one another: letters that are all new show that those before them were recorded.
    private func remembered(of letters: [RenderedMessage]) -> Set<LetterKey> {
        let keys = letters.map(\.key)
        return memory.withLock { memory in
            if !keys.isEmpty && memory.attempted.isDisjoint(with: keys) { memory = Memory() }
            return memory.delivered.intersection(keys)
        }
    }

    private func carryOut(_ letters: [RenderedMessage]) async -> [LetterKey: DeliveryResult] {
        await withTaskGroup(of: (LetterKey, DeliveryResult)?.self) { group in
            group.addTask { await Self.expire(after: self.patience) }
            var waiting = letters[...]
            for letter in waiting.prefix(width) { group.addTask { (letter.key, await self.attempt(letter)) } }
            waiting = waiting.dropFirst(width)
            var results: [LetterKey: DeliveryResult] = [:]
            while results.count < letters.count, let ended = await group.next() {
                if let (key, result) = ended {
                    results[key] = result
                    guard let letter = waiting.popFirst() else { continue }
                    group.addTask { (letter.key, await self.attempt(letter)) }
                } else {
                    group.cancelAll()
                    for letter in waiting { results[letter.key] = .failed(reason: "its turn did not come in time") }
                    waiting = []
                }
            }
            group.cancelAll()
            return results
        }
    }

    private func attempt(_ letter: RenderedMessage) async -> DeliveryResult {
        do {
            try await sink.deliver(letter)
            Self.delivered.pass()
            return .delivered
        } catch let error as Undeliverable {
            return .refused(reason: error.reason)
        } catch is CancellationError {
            return .failed(reason: "no answer in time")
        } catch {
            return .failed(reason: "\(error)")
        }
    }

    private static func expire(after patience: Duration) async -> (LetterKey, DeliveryResult)? {
        do {
            try await RuntimeEnvironment.sleep(for: patience)
        } catch {
            // Cancelled: everything ended in time.
            return nil
        }
        return nil
    }
}
