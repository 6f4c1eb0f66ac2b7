import Audit
import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// A request to the orchestrator, with the connection that it came on and the operator who makes it.
package struct FleetContext: VisitorContext {
    package var coreContext: CoreRequestContextStorage
    /// Set when an operator asks for a change.
    package var visit: OperatorVisit?
    private let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    package var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// Lets a client that waits for this send the body (RFC 9110, 15.2.1).
    package func sayContinue() async throws {
        try await channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)))
    }
}

/// A request's context that knows where the request came from, and which operator makes it.
package protocol VisitorContext: RemoteAddressRequestContext {
    /// Set when an operator asks for a change.
    var visit: OperatorVisit? { get set }
}

extension VisitorContext {
    /// The operator's visit; the gate before the routes let nobody else in.
    package func operatorVisit() throws(Problem) -> OperatorVisit {
        guard let visit else { throw Problem(.operatorKeyRequired, "send an operator key") }
        return visit
    }
}
