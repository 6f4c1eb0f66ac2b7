import Contracts
import Foundation
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOFoundationCompat
import NIOHTTPTypes
import Testing
import WireJSON

@testable import Hosting

/// How many connections a process keeps, and what it says to the others.
@Suite struct `The limits of connections` {
    @Test func `leave descriptors for our own connections, and room for other addresses`() {
        let limits = ConnectionLimits(total: 4_000, perAddress: 1_000, descriptors: 1_024)
        #expect(limits.total == 1_024 - ConnectionLimits.reserve)
        #expect(limits.perAddress == limits.total / 2)
        #expect(ConnectionLimits(total: 4_000, perAddress: 1_000, descriptors: 20_000).total == 4_000)
        #expect(ConnectionLimits(total: 4_000, perAddress: 1_000, descriptors: 0).total > 0)
    }

    @Test func `refuse one address and then everybody, until somebody leaves`() {
        let limits = ConnectionLimits(total: 3, perAddress: 1, descriptors: 20_000)
        #expect(limits.enter(from: "a") == nil)
        #expect(limits.enter(from: "a") == .address)
        #expect(limits.enter(from: "b") == nil && limits.enter(from: "c") == nil)
        #expect(limits.enter(from: "d") == .process)
        limits.leave(from: "a")
        #expect(limits.enter(from: "d") == nil)
        #expect(limits.open == 3)
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80:0:0:0::/64"),
    ])
    func `count a customer of a provider as one`(address: String, counted: String) {
        #expect(ClientAddress.network(of: address) == counted)
    }

    private func connection(_ limits: ConnectionLimits) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: ConnectionGate(limits))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    @Test func `are told to a client beyond them as 503, at once, whatever it sends`() throws {
        let limits = ConnectionLimits(total: 8, perAddress: 1, descriptors: 20_000)
        let admitted = try connection(limits)
        let refused = try connection(limits)
        guard case .head(let head) = try #require(try refused.readOutbound(as: HTTPResponsePart.self)) else {
            Issue.record("no head came")
            return
        }
        #expect(head.status == .serviceUnavailable && head.headerFields[.retryAfter] != nil)
        guard case .body(let body) = try #require(try refused.readOutbound(as: HTTPResponsePart.self)) else {
            Issue.record("no body came")
            return
        }
        #expect(try WireFormat.decode(Problem.self, from: Data(buffer: body)).code == .unavailable)
        if refused.isActive {
            let request = HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/")
            try refused.writeInbound(HTTPRequestPart.head(request))
            #expect(try refused.readInbound(as: HTTPRequestPart.self) == nil)
            refused.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(!refused.isActive)
        try admitted.close().wait()
        #expect(limits.open == 0)
        #expect(try connection(limits).readOutbound(as: HTTPResponsePart.self) == nil)
    }

    @Test func `end a connection whose client reads nothing of its answer`() throws {
        let channel = EmbeddedChannel(handler: RequestDeadline(of: .seconds(25)))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try channel.writeInbound(
            HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "http", authority: "x", path: "/")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .seconds(24))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
