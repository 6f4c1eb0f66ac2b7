import Notification
import Synchronization

/// The buyers' letter boxes.
package final class Letterboxes: Sendable {
    private let letters = Mutex<[LetterKey: Int]>([:])

    package init() {}

    func put(_ letter: RenderedMessage) {
        letters.withLock { $0[letter.key, default: 0] += 1 }
    }

    /// How often each letter arrived.
    package var contents: [LetterKey: Int] { letters.withLock { $0 } }
}

/// The way of one process to the buyers.
package struct MemorySink: NotificationSink {
    package let channel = "memory"
    let boxes: Letterboxes
    let process: Incarnation

    package init(_ boxes: Letterboxes, _ process: Incarnation) {
        self.boxes = boxes
        self.process = process
    }

    private struct NoWay: Error {}

    package func deliver(_ letter: RenderedMessage) async throws {
        try await process.step()
        let fails = process.universe.happens(\.failingSink)
        if fails && process.universe.number(in: 0...1) == 0 { throw NoWay() }
        boxes.put(letter)
        try process.survive()
        if fails { throw NoWay() }
    }
}
