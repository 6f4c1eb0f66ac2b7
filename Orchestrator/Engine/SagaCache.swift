import Contracts
import DequeModule
import SagaCore
import Synchronization

/// Open sagas as this process has stored them last, so that their next step need not read them again.
///
/// A saga's version and attempts say exactly what it knows, so whoever writes by them finds out when an entry is old.
/// Bounded: beyond the capacity those that began first are forgotten.
package final class SagaCache<Definition: SagaDefinition>: Sendable {
    typealias Knowledge = (facts: Definition.Facts, request: Definition.Request)

    private struct Memory {
        var sagas: [SagaID: SagaRecord<Definition>] = [:]
        /// In the order in which they were met; some have been forgotten since.
        var order = Deque<SagaID>()
        /// How many questions stay unanswered before the memory is trusted again.
        var silence = 0
    }

    /// While other processes move the same sagas on, one batch in so many finds out whether they still do.
    private static var silenceWhenOld: Int { 64 }

    private let capacity: Int
    private let memory = Mutex(Memory())

    package init(capacity: Int = 65_536) {
        self.capacity = capacity
    }

    /// Nil unless every one of them is remembered, and what was remembered proved right lately.
    package func records(of ids: [SagaID]) -> [SagaID: SagaRecord<Definition>]? {
        memory.withLock { memory in
            guard memory.silence == 0 else {
                memory.silence -= 1
                return nil
            }
            var found: [SagaID: SagaRecord<Definition>] = [:]
            found.reserveCapacity(ids.count)
            for id in ids {
                guard let record = memory.sagas[id] else { return nil }
                found[id] = record
            }
            return found
        }
    }

    func knowledge(of id: SagaID, at version: Int) -> Knowledge? {
        memory.withLock { memory in
            guard let record = memory.sagas[id], record.version == version else { return nil }
            return (record.facts, record.request)
        }
    }

    /// Only for what is committed or new: a later version that was rolled back is given again to something else, the
    /// first is always the same.
    package func remember(_ sagas: [SagaRecord<Definition>]) {
        memory.withLock { memory in
            for saga in sagas {
                if saga.wakeAt == nil {
                    memory.sagas[saga.id] = nil
                } else if memory.sagas.updateValue(saga, forKey: saga.id) == nil {
                    memory.order.append(saga.id)
                }
            }
            while memory.order.count > capacity, let first = memory.order.popFirst() { memory.sagas[first] = nil }
        }
    }

    /// Nothing that is remembered need be so any more.
    package func forget() {
        memory.withLock { $0 = Memory() }
    }

    /// What was remembered was old: for a while nothing is.
    package func doubt() {
        memory.withLock { $0.silence = Self.silenceWhenOld }
    }
}
