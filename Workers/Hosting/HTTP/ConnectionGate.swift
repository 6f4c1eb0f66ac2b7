import Contracts
import HTTPTypes
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTPTypes
import WireJSON

/// Admits a connection within the limits; any other is answered with 503 before it has asked, and closed.
final class ConnectionGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private enum Stage {
        case new, admitted(address: String), lingering, refused
    }

    private let limits: ConnectionLimits
    private var stage = Stage.new

    init(_ limits: ConnectionLimits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { enter(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        enter(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
    }

    /// What a refused client sends is read and forgotten, so that it is not told of a broken pipe before it has read.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .admitted = stage { context.fireChannelRead(data) }
    }

    private func enter(_ context: ChannelHandlerContext) {
        guard case .new = stage else { return }
        let address = ClientAddress.of(context.remoteAddress)
        guard limits.enter(from: address) != nil else {
            stage = .admitted(address: address)
            return
        }
        guard limits.beginLingering() else {
            stage = .refused
            context.close(promise: nil)
            return
        }
        stage = .lingering
        for part in Self.refusal { context.write(wrapOutboundOut(part), promise: nil) }
        context.flush()
        context.channel.closeSoon()
    }

    private func leave() {
        switch stage {
        case .admitted(let address): limits.leave(from: address)
        case .lingering: limits.endLingering()
        case .new, .refused: break
        }
        stage = .refused
    }

    private static var refusal: [HTTPResponsePart] {
        let problem = Problem(.unavailable, "too many connections are open; try again shortly")
        let body: ByteBuffer
        do {
            body = ByteBuffer(data: try WireFormat.encode(problem))
        } catch {
            body = ByteBuffer()
        }
        let fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.readableBytes)", .retryAfter: "5",
            .connection: "close",
        ]
        return [.head(HTTPResponse(status: .serviceUnavailable, headerFields: fields)), .body(body), .end(nil)]
    }
}

extension Channel {
    /// Says that no more will come, and closes when the client has said so too, or a second later.
    func closeSoon() {
        close(mode: .output, promise: nil)
        let deadline = eventLoop.scheduleTask(in: .seconds(1)) { self.close(promise: nil) }
        closeFuture.whenComplete { _ in deadline.cancel() }
    }
}
