import HummingbirdCore
import NIOCore
import NIOHTTPTypes

extension HTTPServerBuilder {
    /// HTTP/1.1 with a bound on connections, whose clients cannot keep one by sending slowly, reading slowly or nothing.
    package static func impatient(within limits: ConnectionLimits) -> HTTPServerBuilder {
        .http1(
            configuration: .init(
                additionalChannelHandlers: [
                    ConnectionGate(limits), RequestDeadline(of: .seconds(25)), ConnectionEnd(),
                ]))
    }
}

/// Closes a connection on which no whole request has arrived in time; a byte now and then buys nothing.
///
/// The time runs from the connection's beginning, or from the answer to its last request. A client that has an answer
/// waiting in our memory and does not read it loses the connection after the same time.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private var timer: Scheduled<Void>?
    /// Runs while the client reads nothing of what waits for it.
    private var stall: Scheduled<Void>?
    /// Requests that have arrived whole and are not answered to the end; less than none while an answer that came early
    /// waits for the end of its request.
    private var unanswered = 0

    init(of limit: TimeAmount) {
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        arm(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        stall?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        stall?.cancel()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = context.channel.isWritable ? nil : closing(context)
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) {
            unanswered += 1
            timer?.cancel()
            timer = nil
            if unanswered <= 0 { arm(context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered -= 1
            if unanswered <= 0, timer == nil { arm(context) }
        }
        context.write(data, promise: promise)
    }

    private func arm(_ context: ChannelHandlerContext) {
        timer = closing(context)
    }

    private func closing(_ context: ChannelHandlerContext) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }
}
