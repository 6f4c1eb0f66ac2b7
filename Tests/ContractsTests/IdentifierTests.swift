import Contracts
import Foundation
import Testing
import WireJSON

@Suite struct `An identifier` {
    @Test func `is in the order of its creation`() {
        var generator = SystemRandomNumberGenerator()
        let ids = (1...1_000).map { SagaID.make(at: UInt64($0), using: &generator) }
        #expect(ids == ids.sorted())
        #expect(ids.map(\.uuid.leadingMilliseconds) == (1...1_000).map { UInt64($0) })
    }

    @Test func `has the version and variant bits of RFC 9562`() {
        let saga = SagaID.make()
        #expect(Array(saga.description)[14] == "7")
        let message = MessageID.derived(from: saga, step: 1, kind: .reserve)
        #expect(Array(message.description)[14] == "8")
        #expect("89ab".contains(Array(message.description)[19]))
    }

    @Test func `is written in lower case and read in either`() {
        let id = SagaID.make()
        #expect(id.description == id.description.lowercased())
        #expect(SagaID(id.description.uppercased()) == id)
        for wrong in ["", "not a uuid", "\(id)0", String("\(id)".dropLast()), "\(id)".replacing("-", with: "0")] {
            #expect(SagaID(wrong) == nil, "\(wrong)")
        }
        let stranger = UUID()
        #expect(SagaID(stranger.uuidString)?.uuid == stranger)
    }

    @Test func `of a message follows from any text that a publisher chose`() throws {
        #expect(MessageID(wire: "") == nil)
        #expect(MessageID(wire: "order-7") == MessageID(wire: "order-7"))
        #expect(MessageID(wire: "order-7") != MessageID(wire: "order-8"))
        let uuid = UUID()
        #expect(MessageID(wire: uuid.uuidString)?.uuid == uuid)
    }

    @Test func `that was chosen outside the fleet is never one of the fleet's own`() {
        let saga = SagaID.make()
        let reply = MessageID.derived(
            from: MessageID.derived(from: saga, step: 3, kind: .confirm).uuid, MessageKind.confirmed.rawValue)
        let foreign = MessageID.foreign(reply, from: "amqp")
        #expect(
            foreign != reply && foreign == .foreign(reply, from: "amqp") && foreign != .foreign(reply, from: "other"))
        // Times begin with a bit that is not set for the next four thousand years.
        for _ in 0..<1_000 {
            #expect(MessageID.foreign(.make(), from: "amqp").uuid.leadingMilliseconds >= 1 << 47)
            let own = MessageID.derived(from: SagaID.make().uuid, "any")
            #expect(own.uuid.leadingMilliseconds < 1 << 47)
        }
    }
}

@Suite struct `A time on the wire` {
    @Test(arguments: [
        "2031-05-01T19:30:00Z", "2031-05-01T19:30:00.000Z", "2031-05-01T21:30:00+02:00", "2031-05-01t19:30:00z",
        "2031-05-01T19:30:00.0004Z", "2031-05-01T19:30:00.000000000000000000000000z", "2031-04-30T19:31:00-23:59",
        "2031-05-01T19:30:00-00:00",
    ])
    func `is read with and without fractions and zones`(text: String) {
        #expect(WireFormat.date(from: text)?.timeIntervalSince1970 == 1_935_430_200)
    }

    @Test(arguments: [
        "", "tomorrow", "2031-13-01T00:00:00Z", "2031-05-01", "2031-00-01T00:00:00Z", "2031-02-30T19:30:00Z",
        "2031-02-29T00:00:00Z", "2031-04-31T00:00:00Z", "2031-05-00T00:00:00Z", "2031-05-01T25:61:00Z",
        "2031-05-01T24:00:00Z", "2031-05-01T19:60:00Z", "2031-05-01T19:30:61Z", "2031-05-01T19:30:00Zgarbage",
        "2031-05-01T19:30:00+02:00 (CEST)", "2031-05-01T19:30:00+24:00", "2031-05-01T19:30:00+02:60",
        "2031-05-01T19:30:00+0200", "2031-05-01T19:30:00", "2031-05-01T19:30Z", "2031-05-01T19:30:00.Z",
        "2031-05-01T19:30:00,5Z", "2031-05-01 19:30:00Z", " 2031-05-01T19:30:00Z", "+2031-05-01T19:30:00Z",
        "\u{FF12}031-05-01T19:30:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01", "2016-11-30T23:59:60Z", "2016-12-31T23:58:60Z",
    ])
    func `is refused when it is not RFC 3339`(text: String) {
        #expect(WireFormat.date(from: text) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"), ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z"),
        ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T15:59:60.5-08:00", "2017-01-01T00:00:00.000Z"),
    ])
    func `may lie anywhere from 1970 to 9999, also in a leap second`(text: String, written: String) throws {
        #expect(WireFormat.text(of: try #require(WireFormat.date(from: text))) == written)
    }

    @Test func `is written as it was read, however often`() throws {
        for millisecond in 0..<1_000 {
            let digits = String(1_000 + millisecond).dropFirst()
            let text = "2026-11-21T01:36:24.\(digits)Z"
            let date = try #require(WireFormat.date(from: text))
            #expect(WireFormat.text(of: date) == text)
        }
    }

    @Test func `is written to the nearest millisecond`() {
        #expect(WireFormat.text(of: Date(timeIntervalSince1970: 1.0006)) == "1970-01-01T00:00:01.001Z")
        #expect(WireFormat.text(of: Date(timeIntervalSince1970: 1.9996)) == "1970-01-01T00:00:02.000Z")
        #expect(WireFormat.text(of: Date(timeIntervalSince1970: 1.0004)) == "1970-01-01T00:00:01.000Z")
        for beyond in [1e12, 1.8e19, .greatestFiniteMagnitude, .infinity] {
            #expect(WireFormat.text(of: Date(timeIntervalSince1970: beyond)) == "9999-12-31T23:59:59.999Z")
            #expect(!WireFormat.text(of: Date(timeIntervalSince1970: -beyond)).isEmpty)
        }
        #expect(WireFormat.text(of: Date(timeIntervalSince1970: .nan)) == "1970-01-01T00:00:00.000Z")
    }
}
