import Contracts
import FleetRuntime
import Foundation
import RabbitMQ
import Synchronization

/// A queue of a test: gives out what it was filled with, batch by batch, and tells when all are acknowledged.
final class ScriptedInlet: Inlet {
    private let batches: Mutex<[[Delivery]]>
    private let settled = Mutex<[UInt64]>([])
    private let count: Int
    private let drained: @Sendable () -> Void
    private let silence = AsyncStream<Never>.makeStream()

    init(_ batches: [[Delivery]], drained: @escaping @Sendable () -> Void) {
        self.batches = Mutex(batches)
        count = batches.count
        self.drained = drained
    }

    var acknowledged: [UInt64] { settled.withLock { $0 } }

    func open() async throws {}
    func cancel() async throws {}
    func close() async {}

    func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery] {
        if let batch = batches.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return batch }
        for await _ in silence.stream {}
        return []
    }

    func interrupt() { silence.continuation.finish() }

    func acknowledge(through tag: UInt64) async throws {
        let isDone = settled.withLock { settled in
            settled.append(tag)
            return settled.count == count
        }
        if isDone { drained() }
    }
}

/// A broker of a test: keeps what it took, and refuses or fails as often as it was told to.
final class ScriptedOutlet: Outlet {
    private struct State {
        var taken: [Publication] = []
        var failures: Int
        var refusals: Int
        var hold: AsyncStream<Void>?
    }

    private let state: Mutex<State>

    /// - Parameter hold: the first batch is answered only when this ends.
    init(failures: Int = 0, refusals: Int = 0, holdingFirstUntil hold: AsyncStream<Void>? = nil) {
        state = Mutex(State(failures: failures, refusals: refusals, hold: hold))
    }

    var taken: [Publication] { state.withLock { $0.taken } }

    func open() async throws {}
    func close() async {}

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        let hold = state.withLock { $0.hold.take() }
        if let hold { for await _ in hold {} }
        return try state.withLock { state in
            if state.failures > 0 {
                state.failures -= 1
                throw BrokerError(.connectionLost, during: "publish", "scripted")
            }
            let refused = min(state.refusals, batch.count)
            state.refusals -= refused
            state.taken += batch.dropFirst(refused)
            return (0..<refused).map { Refusal(index: $0, reason: .nacked) }
        }
    }
}

/// A handler of a test, as a closure.
struct ScriptedHandler: BatchHandler {
    let decide: @Sendable ([Envelope]) throws -> [Outcome]

    func handle(_ batch: [Envelope]) async throws -> [Outcome] { try decide(batch) }
}

struct Mishap: RecoverableFailure {
    let isTransient: Bool
}

func delivery(
    _ tag: UInt64, kind: String = MessageKind.released.rawValue, id: String? = nil, body: String = "{}",
    attempt: Int64 = 1
) -> Delivery {
    Delivery(
        tag: tag, isRedelivered: false, exchange: "", routingKey: "",
        properties: Properties(
            messageID: id ?? MessageID.make().description, correlationID: SagaID.make().description, type: kind,
            contentType: "application/json", headers: ["attempt": .integer(attempt)]),
        body: Data(body.utf8))
}
