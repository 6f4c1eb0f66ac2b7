import Foundation
import Testing

@testable import RabbitMQ

@Suite struct `Message assembly` {
    private let route = Route(exchange: "orders", routingKey: "paid")
    private let properties = Properties(messageID: "m-1", headers: ["attempt": .integer(1)])

    private func deliver(_ tag: UInt64 = 7) -> Frame { .deliver(tag: tag, isRedelivered: true, route) }

    private func delivery(_ body: String, tag: UInt64 = 7) -> BrokerEvent {
        .delivered(
            Delivery(
                tag: tag, isRedelivered: true, exchange: "orders", routingKey: "paid", properties: properties,
                body: Data(body.utf8)))
    }

    private func events(_ frames: [Frame]) throws -> [BrokerEvent] {
        var assembly = MessageAssembly(keeping: 1_000)
        return try frames.compactMap { try assembly.accept($0) }
    }

    @Test func `method, header and body make one delivery`() throws {
        let frames: [Frame] = [deliver(), .header(bodySize: 4, properties), .body(Data("body".utf8))]
        #expect(try events(frames) == [delivery("body")])
    }

    @Test(arguments: 1...6) func `a body cut at every length is put together`(length: Int) throws {
        let bytes = Array("a body".utf8)
        var frames: [Frame] = [deliver(), .header(bodySize: UInt64(bytes.count), properties)]
        for start in stride(from: 0, to: bytes.count, by: length) {
            frames.append(.body(Data(bytes[start..<min(start + length, bytes.count)])))
        }
        #expect(try events(frames) == [delivery("a body")])
    }

    @Test func `an empty body needs no body frame`() throws {
        let frames: [Frame] = [
            deliver(1), .header(bodySize: 0, properties), deliver(2), .header(bodySize: 0, properties),
        ]
        #expect(try events(frames) == [delivery("", tag: 1), delivery("", tag: 2)])
    }

    @Test func `a returned message carries the broker's reason`() throws {
        let frames: [Frame] = [
            .returned(code: 312, text: "NO_ROUTE", route), .header(bodySize: 2, properties), .body(Data("hi".utf8)),
        ]
        let message = Delivery(
            tag: 0, isRedelivered: false, exchange: "orders", routingKey: "paid", properties: properties,
            body: Data("hi".utf8))
        #expect(try events(frames) == [.returned(code: 312, text: "NO_ROUTE", message)])
    }

    @Test func `answers and notices pass between and inside messages`() throws {
        let frames: [Frame] = [
            .acknowledged(tag: 3, isMultiple: true), deliver(), .blocked(reason: "low on memory"),
            .header(bodySize: 4, properties), .unblocked, .body(Data("body".utf8)), .refused(tag: 4, isMultiple: false),
            .consumerCancelled,
        ]
        #expect(
            try events(frames) == [
                .settled(tag: 3, isMultiple: true, isAccepted: true), .blocked(reason: "low on memory"), .unblocked,
                delivery("body"), .settled(tag: 4, isMultiple: false, isAccepted: false), .consumerCancelled,
            ])
    }

    @Test func `a close becomes an error with the broker's words`() throws {
        let channel = try events([.channelClosed(code: 406, text: "PRECONDITION_FAILED - unknown delivery tag 1")])
        let connection = try events([.connectionClosed(code: 320, text: "CONNECTION_FORCED")])
        guard case .channelClosed(let first)? = channel.first, case .connectionClosed(let second)? = connection.first
        else {
            Issue.record("no close event")
            return
        }
        #expect(first.code == .preconditionFailed)
        #expect(first.detail == "406 PRECONDITION_FAILED - unknown delivery tag 1")
        #expect(second.code == .connectionLost)
        #expect(second.isTransient)
    }

    static let disorders: [[Frame]] = {
        let deliver = Frame.deliver(tag: 1, isRedelivered: false, Route(exchange: "", routingKey: "q"))
        let header = Frame.header(bodySize: 4, Properties())
        return [
            [header],
            [.body(Data("body".utf8))],
            [deliver, deliver],
            [deliver, .body(Data("body".utf8))],
            [deliver, header, header],
            [deliver, header, deliver],
            [deliver, header, .body(Data("longer".utf8))],
            [deliver, header, .body(Data("bo".utf8)), .body(Data("dy!".utf8))],
            [.returned(code: 312, text: "NO_ROUTE", Route(exchange: "", routingKey: "q")), deliver],
            [.unexpected(method: 0x003C_0047)],
        ]
    }()

    @Test(arguments: disorders) func `frames out of order are a violation`(frames: [Frame]) {
        var assembly = MessageAssembly(keeping: 1_000)
        #expect {
            for frame in frames { _ = try assembly.accept(frame) }
        } throws: { error in
            (error as? BrokerError)?.code == .protocolViolation
        }
    }

    @Test func `of a body larger than the limit only the head is kept, and what follows is read`() throws {
        var frames: [Frame] = [deliver(1), .header(bodySize: 5_000, properties)]
        frames += Array(repeating: .body(Data(count: 500)), count: 10)
        frames += [deliver(2), .header(bodySize: 1_000, properties), .body(Data(count: 1_000))]
        let deliveries = try events(frames).map { event in
            if case .delivered(let delivery) = event { delivery } else { try #require(nil as Delivery?) }
        }
        #expect(deliveries.map(\.body.count) == [0, 1_000])
        #expect(deliveries.map(\.bodySize) == [5_000, 1_000])
        #expect(deliveries.map(\.isCut) == [true, false])
        #expect(deliveries[0].properties == properties)
    }

    @Test(arguments: [512 * 1024 * 1024 + 1, 1 << 63, .max] as [UInt64])
    func `a body that no broker takes is a violation`(size: UInt64) {
        #expect {
            _ = try events([deliver(), .header(bodySize: size, properties)])
        } throws: { error in
            (error as? BrokerError)?.code == .protocolViolation
        }
    }

    @Test(arguments: [[0], [1 << 48], [.max], [2, 2], [2, 1]] as [[UInt64]])
    func `delivery tags that do not rise, or leave no room for a channel's number, are a violation`(tags: [UInt64]) {
        #expect {
            _ = try events(tags.flatMap { [deliver($0), .header(bodySize: 0, properties)] })
        } throws: { error in
            (error as? BrokerError)?.code == .protocolViolation
        }
    }
}
