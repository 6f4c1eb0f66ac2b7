import Dispatch
import Foundation
import Synchronization

/// Writes to a file whose reader may stop reading, and waits for that reader only so long.
///
/// `write(2)` to a full pipe blocks; so it happens on a queue of its own, and while one write is stuck further ones are
/// refused at once. A stuck write may still end later, so its text can appear after its failure was reported.
final class PatientWriter: Sendable {
    private let file: FileHandle
    private let patience: Duration
    private let writing = DispatchQueue(label: "console.writing")
    private let waiting = DispatchQueue(label: "console.waiting")
    private let isBusy = Atomic(false)

    init(_ file: FileHandle, patience: Duration) {
        self.file = file
        self.patience = patience
    }

    /// Writes the text after what was written before; calls must not overlap.
    /// - Throws: `Stuck` when the reader stopped reading, or what the system said.
    func write(_ text: String) async throws {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { throw Stuck() }
        try await withCheckedThrowingContinuation { continuation in
            let answer = FirstAnswer(continuation)
            waiting.asyncAfter(deadline: .now() + patience / .seconds(1)) { answer.give(.failure(Stuck())) }
            writing.async {
                let result = Result { try self.file.write(contentsOf: Data(text.utf8)) }
                self.isBusy.store(false, ordering: .releasing)
                answer.give(result)
            }
        }
    }

    struct Stuck: Error, CustomStringConvertible {
        var description: String { "nobody reads the output" }
    }
}

/// Resumes a continuation with whichever answer comes first.
private final class FirstAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<Void, any Error>?>

    init(_ continuation: CheckedContinuation<Void, any Error>) {
        self.continuation = Mutex(continuation)
    }

    func give(_ answer: Result<Void, any Error>) {
        continuation.withLock { $0.take() }?.resume(with: answer)
    }
}
