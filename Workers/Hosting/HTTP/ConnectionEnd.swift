import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection behind an answer that says `Connection: close`.
///
/// Such is the answer to a request whose body was not asked for: what follows on the connection may be that body or the
/// next request, and nobody can know which.
final class ConnectionEnd: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var isLast = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isLast = head.headerFields[.connection]?.lowercased() == "close"
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            guard isLast else { return }
            context.flush()
            context.channel.closeSoon()
        }
    }
}
