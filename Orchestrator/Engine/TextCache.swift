import Contracts
import FoundationEssentials
import Synchronization
import WireJSON

/// Remembers how a few values that occur again and again are written as JSON, both ways.
///
/// Sagas pass through some ten states; writing and reading each as JSON took a tenth of the orchestrator's time. What
/// does not recur belongs elsewhere: the cache keeps the first values it meets, up to its capacity.
final class TextCache<Value: Codable & Hashable & Sendable>: Sendable {
    private struct Memory {
        var texts: [Value: String] = [:]
        var values: [String: Value] = [:]
    }

    private let capacity: Int
    private let memory = Mutex(Memory())

    init(capacity: Int = 256) {
        self.capacity = capacity
    }

    func text(of value: Value) throws -> String {
        if let text = memory.withLock({ $0.texts[value] }) { return text }
        let text = try WireFormat.canonicalText(value)
        memory.withLock { if $0.texts.count < capacity { $0.texts[value] = text } }
        return text
    }

    func value(of text: String) throws -> Value {
        if let value = memory.withLock({ $0.values[text] }) { return value }
        let value = try WireFormat.decode(Value.self, fromText: text)
        memory.withLock { if $0.values.count < capacity { $0.values[text] = value } }
        return value
    }
}
