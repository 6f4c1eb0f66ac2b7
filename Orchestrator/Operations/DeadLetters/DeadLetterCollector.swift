import FleetInspection
import FleetRuntime

/// Moves dead letters from their queues into the file as they come.
package struct DeadLetterCollector: PeriodicJob {
    package static let batch = 500

    package let name = "dead letters"
    let box: DeadLetterBox
    let file: DeadLetterStore

    package init(box: DeadLetterBox, file: DeadLetterStore) {
        self.box = box
        self.file = file
    }

    package func runOnce() async throws -> Int {
        try await box.empty(upTo: Self.batch) { messages in try await file.file(messages) }
    }
}

/// Forgets letters that were sent again or dropped long ago.
package struct DeadLetterCleaner: PeriodicJob {
    package static let batch = 500

    package let name = "old dead letters"
    let file: DeadLetterStore

    package init(file: DeadLetterStore) {
        self.file = file
    }

    package func runOnce() async throws -> Int { try await file.forget(upTo: Self.batch) }
}
