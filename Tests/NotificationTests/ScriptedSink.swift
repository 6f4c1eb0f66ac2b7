import Notification
import Synchronization

/// A sink that remembers what it was given and answers as it was told to, one answer per letter.
final class ScriptedSink: NotificationSink {
    enum Answer: Sendable {
        case accept
        case refuse(String)
        case fail(String)
        /// Says nothing until it is cancelled.
        case hang
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var letters: [RenderedMessage] = []
        var answers: [Answer]
        var underWay = 0
        var peak = 0
    }

    let channel = "scripted"
    private let state: Mutex<State>

    /// When the answers are used up, it accepts.
    init(_ answers: Answer...) {
        state = Mutex(State(answers: answers))
    }

    var letters: [RenderedMessage] { state.withLock { $0.letters } }
    /// The most letters that were under way at once.
    var peak: Int { state.withLock { $0.peak } }

    func deliver(_ letter: RenderedMessage) async throws {
        let answer = state.withLock { state in
            state.letters.append(letter)
            state.underWay += 1
            state.peak = max(state.peak, state.underWay)
            return state.answers.isEmpty ? Answer.accept : state.answers.removeFirst()
        }
        defer { state.withLock { $0.underWay -= 1 } }
        await Task.yield()
        switch answer {
        case .accept: return
        case .refuse(let reason): throw Undeliverable(reason: reason)
        case .fail(let reason): throw Failure(description: reason)
        case .hang: try await Task.sleep(for: .seconds(3_600))
        }
    }
}
