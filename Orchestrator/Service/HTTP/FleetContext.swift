import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// A request to the orchestrator, with the connection that it came on and the operator who makes it.
struct FleetContext: VisitorContext {
    var coreContext: CoreRequestContextStorage
    /// Set when an operator asks for a change.
    var visit: OperatorVisit?
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// Lets a client that waits for this send the body (RFC 9110, 15.2.1).
    func sayContinue() async throws {
        try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
    }
}
