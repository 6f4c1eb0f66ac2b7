import Testing

@testable import OrchestratorService
@testable import WebKit

/// How long an address is listened to that shows wrong operator keys.
@Suite struct `Wrong operator keys` {
    @Test func `are listened to ten times, and other addresses as before`() throws {
        let guesses = KeyGuesses()
        for _ in 1...9 { #expect(guesses.note(from: "a") == nil) }
        let pause = try #require(guesses.note(from: "a"))
        #expect((1...6).contains(pause))
        #expect(guesses.pause(for: "a") != nil)
        #expect(guesses.pause(for: "b") == nil)
    }

    @Test func `of however many addresses take bounded memory, and the worst are remembered`() {
        let guesses = KeyGuesses(capacity: 100)
        for _ in 1...20 { _ = guesses.note(from: "worst") }
        for number in 1...1_000 { _ = guesses.note(from: "\(number)") }
        #expect(guesses.count <= 100)
        #expect(guesses.pause(for: "worst") != nil)
    }
}
