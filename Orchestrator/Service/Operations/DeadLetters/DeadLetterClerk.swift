import FleetRuntime

/// Moves dead letters from their queues into the file as they come.
struct DeadLetterClerk: Sweep {
    static let batch = 500

    let name = "dead letters"
    let box: DeadLetterBox
    let file: DeadLetterFile

    func sweep() async throws -> Int {
        try await box.empty(upTo: Self.batch) { messages in try await file.file(messages) }
    }
}

/// Forgets letters that were sent again or dropped long ago.
struct DeadLetterCleaner: Sweep {
    static let batch = 500

    let name = "old dead letters"
    let file: DeadLetterFile

    func sweep() async throws -> Int { try await file.forget(upTo: Self.batch) }
}
