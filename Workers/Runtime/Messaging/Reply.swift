import Contracts
import FoundationEssentials

/// What follows from a command carries the command's saga, step and trace, and an id that a repeat makes again.
extension Envelope {
    /// Answers this command to the orchestrator.
    package func reply(_ payload: some Message, at time: Date) throws -> OutgoingMessage {
        OutgoingMessage(try consequence(payload, at: time), to: .orchestrator)
    }

    /// Tells whoever listens of a fact that this command brought about.
    package func announcement(_ payload: some Message, at time: Date) throws -> OutgoingMessage {
        OutgoingMessage(try consequence(payload, at: time), to: .listeners)
    }

    private func consequence<Payload: Message>(_ payload: Payload, at time: Date) throws -> Envelope {
        try Envelope(
            id: .derived(from: id.uuid, Payload.kind.rawValue), payload, sagaID: sagaID, step: step, causationID: id,
            occurredAt: time, traceparent: traceparent)
    }
}
