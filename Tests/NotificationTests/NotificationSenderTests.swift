import Contracts
import Foundation
import Testing

@testable import Notification

@Suite(.timeLimit(.minutes(1)))
struct DeliveryDeskTests {
    let letters = (0..<20).map { _ in RenderedMessage.sample() }

    @Test func `a letter that was delivered but not recorded is not delivered again`() async {
        let sink = ScriptedSink()
        let desk = NotificationSender(sink: sink)
        let first = await desk.deliver(letters)
        let again = await desk.deliver(Array(letters.prefix(10)))
        let rest = await desk.deliver(Array(letters.suffix(10)))
        #expect(first.values.allSatisfy { $0 == .delivered })
        #expect(again.count == 10 && rest.count == 10)
        #expect(sink.letters.count == 20)
    }

    @Test func `what is remembered survives a round of letters that failed, and ends with a round of new ones`() async {
        let sink = ScriptedSink(.accept, .fail("down"))
        let desk = NotificationSender(sink: sink, width: 1)
        _ = await desk.deliver(Array(letters.prefix(2)))
        _ = await desk.deliver([])
        _ = await desk.deliver([letters[1]])
        _ = await desk.deliver([letters[0]])
        #expect(sink.letters.map(\.key) == [letters[0].key, letters[1].key, letters[1].key])
        _ = await desk.deliver([letters[2]])
        _ = await desk.deliver([letters[0]])
        #expect(sink.letters.count == 5)
    }

    @Test func `a round ends when its time is over, and says so for every letter`() async {
        let sink = ScriptedSink(.accept, .hang, .hang)
        let desk = NotificationSender(sink: sink, width: 2, patience: .milliseconds(50))
        let results = await desk.deliver(Array(letters.prefix(5)))
        #expect(results.count == 5)
        #expect(results.values.filter { $0 == .delivered }.count == 1)
        #expect(results.values.filter { $0 == .failed(reason: "no answer in time") }.count == 2)
        #expect(results.values.filter { $0 == .failed(reason: "its turn did not come in time") }.count == 2)
    }

    @Test func `nothing to deliver is nothing done`() async {
        #expect(await NotificationSender(sink: ScriptedSink()).deliver([]).isEmpty)
    }
}

extension RenderedMessage {
    static func sample(subject: String = "Hello", body: String = "World", userID: String = "anna") -> RenderedMessage {
        RenderedMessage(
            key: LetterKey(sagaID: .make(), template: .purchaseCompleted), userID: userID, email: nil, subject: subject,
            body: body)
    }
}
