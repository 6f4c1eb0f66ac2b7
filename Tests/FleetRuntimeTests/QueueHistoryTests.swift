import FleetInspection
import Testing

@Suite struct `The history of a queue` {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `knows since when a queue that nobody reads is not empty`() {
        var history = QueueHistory()
        #expect(history.note(waiting: 0, gone: 40, at: at(0)) == nil)
        #expect(history.note(waiting: 3, gone: 40, at: at(10)) == .seconds(0))
        #expect(history.note(waiting: 9, gone: 40, at: at(20)) == .seconds(10))
        #expect(history.note(waiting: 9, gone: 40, at: at(60)) == .seconds(50))
    }

    @Test func `knows the age of the head of a queue that is read and never empty`() {
        var history = QueueHistory()
        // A hundred messages come every ten seconds; at first all wait, then the readers keep thirty seconds behind.
        var ages: [Duration?] = []
        for step in 0...20 {
            let arrived = step * 100 + 100
            let gone = max(0, arrived - 300)
            ages.append(history.note(waiting: arrived - gone, gone: gone, at: at(step * 10)))
        }
        #expect(ages[2] == .seconds(20))
        #expect(ages.dropFirst(3).allSatisfy { $0 == .seconds(20) })
    }

    @Test func `begins anew when the queue was empty, and when the broker forgot its counts`() {
        var history = QueueHistory()
        _ = history.note(waiting: 5, gone: 10, at: at(0))
        #expect(history.note(waiting: 0, gone: 15, at: at(10)) == nil)
        #expect(history.note(waiting: 1, gone: 15, at: at(20)) == .seconds(0))
        #expect(history.note(waiting: 2, gone: 0, at: at(30)) == .seconds(0))
        #expect(history.note(waiting: 2, gone: 0, at: at(40)) == .seconds(10))
    }

    @Test func `never claims more than is true, however long it has grown`() {
        var history = QueueHistory()
        for second in 0..<5_000 {
            let age = history.note(waiting: second + 1, gone: 0, at: at(second))
            #expect(age ?? .seconds(-1) <= .seconds(second))
        }
        // Half of what is there goes at once: the new head came at second 2,500.
        let age = history.note(waiting: 2_500, gone: 2_500, at: at(5_000)) ?? .zero
        #expect(age <= .seconds(2_500))
        #expect(age > .seconds(2_400))
    }
}
