import Contracts
import Foundation
import Notification
import Testing

struct RenderingTests {
    @Test(
        arguments: [
            ("EUR", 4_990, "49.90 EUR"), ("EUR", 5, "0.05 EUR"), ("EUR", 0, "0.00 EUR"), ("USD", -1, "-0.01 USD"),
            ("JPY", 1_200, "1200 JPY"), ("KWD", 1_234, "1.234 KWD"), ("CLF", 7, "0.0007 CLF"),
            ("EUR", Int64.min, "-92233720368547758.08 EUR"),
        ] as [(String, Int64, String)])
    func `money is written with the digits of its currency`(currency: String, minor: Int64, text: String) {
        #expect(Money(currency: currency, minor: minor).readable == text)
    }

    @Test func `tickets are listed with tier, seat and number`() {
        let ids = [TicketID.make(), TicketID.make()]
        let letter = RenderedMessage(
            .sample(
                .purchaseCompleted, userId: "Jürgen Größe 🎉",
                tickets: [
                    IssuedTicket(id: ids[0], tier: "Parkett", seat: "Ä7"),
                    IssuedTicket(id: ids[1], tier: "Stehplatz", seat: nil),
                ]), for: .make())
        #expect(letter.subject == "Your 2 tickets")
        #expect(letter.body.hasPrefix("Hello Jürgen Größe 🎉,\n\n"))
        #expect(letter.body.contains("You paid 49.90 EUR."))
        #expect(letter.body.contains("- Parkett, seat Ä7: ticket \(ids[0])\n- Stehplatz: ticket \(ids[1])"))
    }

    @Test(
        arguments: [
            ("sold-out", "the tickets are sold out"), ("declined", "the payment was declined"),
            ("expired", "it was not paid in time"), ("something-new", "something-new"), (nil, "no reason was given"),
        ] as [(String?, String)])
    func `a refusal explains itself`(reason: String?, words: String) {
        let letter = RenderedMessage(.sample(.purchaseRefused, reason: reason), for: .make())
        #expect(letter.body.contains("your purchase was not completed: \(words)."))
    }

    @Test(arguments: SendNotification.Template.allCases)
    func `every template has a subject of one line`(template: SendNotification.Template) {
        let letter = RenderedMessage(.sample(template), for: .make())
        #expect(!letter.subject.isEmpty && !letter.subject.contains("\n"))
        #expect(letter.key.template == template)
    }
}

struct ConsoleSinkTests {
    @Test func `a letter is one line, whatever its text holds`() {
        let nasty = "Zeile 1\nZeile 2\r\n\t\u{1B}[31mrot\u{7F}\u{85}\u{2028}\u{202E} \"quoted\" \\ Ü 👩‍👩‍👧"
        let line = RenderedMessage.sample(subject: "a b", body: nasty, userID: "x\ny").line
        #expect(line.hasSuffix("\n"))
        #expect(line.dropLast().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0x85 })
        #expect(line.contains(#"text="Zeile 1\nZeile 2\r\n\t\u{1b}[31mrot\u{7f}\u{85}\u{2028}\u{202e} "#))
        #expect(line.contains(#" \"quoted\" \\ Ü 👩‍👩‍👧""#))
        #expect(line.contains(#"user="x\ny" to="x\ny" subject="a b" "#))
    }

    @Test func `letters that come together are all written, a line each`() async throws {
        let pipe = Pipe()
        let sink = ConsoleSink(writingTo: pipe.fileHandleForWriting)
        let letters = (0..<200).map { _ in RenderedMessage.sample() }
        try await withThrowingTaskGroup { group in
            for letter in letters { group.addTask { try await sink.deliver(letter) } }
            try await group.waitForAll()
        }
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(Set(text.split(separator: "\n").map { $0 + "\n" }) == Set(letters.map { $0.line[...] + "" }))
    }

    @Test func `a reader that stopped reading fails letters, and blocks nobody`() async throws {
        let pipe = Pipe()
        let sink = ConsoleSink(writingTo: pipe.fileHandleForWriting, patience: .milliseconds(100))
        let large = RenderedMessage.sample(body: String(repeating: "x", count: 100_000))
        await #expect(throws: (any Error).self) { try await sink.deliver(large) }
        await #expect(throws: (any Error).self) { try await sink.deliver(.sample()) }
        _ = try pipe.fileHandleForReading.read(upToCount: 90_000)
        while true {
            _ = try pipe.fileHandleForReading.read(upToCount: 1)
            do {
                try await sink.deliver(.sample())
                break
            } catch {
                _ = try pipe.fileHandleForReading.read(upToCount: 4_096)
            }
        }
    }
}

extension SendNotification {
    static func sample(
        _ template: Template, userId: String = "anna", reason: String? = nil, tickets: [IssuedTicket] = []
    ) -> SendNotification {
        SendNotification(
            template: template, userId: userId, email: nil, eventId: .make(),
            amount: Money(currency: "EUR", minor: 4_990), reason: reason, tickets: tickets)
    }
}
