import Contracts
import SagaCore
import Synchronization

/// What recently stored sagas ask for and know, so that their next step need not read it from JSON again.
///
/// A saga's version says exactly what it knows, so an entry is either right or not used. Bounded: when the newer half
/// is full the older half is forgotten.
package final class RecentSagas<Definition: SagaDefinition>: Sendable {
    typealias Knowledge = (facts: Definition.Facts, request: Definition.Request)

    private struct Entry {
        let version: Int
        let knowledge: Knowledge
    }

    private struct Memory {
        var newer: [SagaID: Entry] = [:]
        var older: [SagaID: Entry] = [:]
    }

    private let half: Int
    private let memory = Mutex(Memory())

    package init(capacity: Int = 65_536) {
        half = capacity / 2
    }

    func knowledge(of id: SagaID, at version: Int) -> Knowledge? {
        memory.withLock { memory in
            guard let entry = memory.newer[id] ?? memory.older[id], entry.version == version else { return nil }
            return entry.knowledge
        }
    }

    /// Only for what is committed or new: a later version that was rolled back is given again to something else, the
    /// first is always the same.
    func remember(_ sagas: [SagaRecord<Definition>]) {
        memory.withLock { memory in
            if memory.newer.count + sagas.count > half {
                memory.older = memory.newer
                memory.newer = [:]
            }
            for saga in sagas where saga.wakeAt != nil {
                memory.newer[saga.id] = Entry(version: saga.version, knowledge: (saga.facts, saga.request))
            }
        }
    }
}
