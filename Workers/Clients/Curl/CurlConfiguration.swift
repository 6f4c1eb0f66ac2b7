/// What all calls of one client have in common: its connections serve each of them.
package struct CurlConfiguration: Sendable {
    /// How many calls run at once; 1 or more.
    package var transferLimit = 64
    /// How many calls to one origin run at once, so that a slow one leaves room for others; 1 or more.
    package var transferLimitPerOrigin = 32
    /// How many more calls may wait for their turn; one more is refused.
    package var waitingLimit = 1_024
    /// How many connections are kept when nobody uses them.
    package var keptConnections = 32
    /// The longest time a kept connection may be idle and still be used, in whole seconds.
    package var keptFor: Duration = .seconds(60)
    /// A file with the certificates, in PEM, of the only authorities that are trusted; nil for the system's.
    package var authoritiesFile: String?
    /// Where connections may lead; it holds for redirects and for kept connections too.
    package var addresses = AddressRule.any
    /// Whether `http` URLs are refused.
    package var requiresTLS = false

    package init() {}
}

/// Which addresses a client may connect to, judged when a socket is opened: whatever a name resolved to before.
package enum AddressRule: Sendable {
    case any
    /// What the internet routes: no loopback, private, link-local, multicast or reserved address.
    case publicOnly
    /// Those for which the function, called on the connection's thread, answers true.
    case those(@Sendable (IPAddress) -> Bool)

    package func admits(_ address: IPAddress) -> Bool {
        switch self {
        case .any: true
        case .publicOnly: address.isPublic
        case .those(let admits): admits(address)
        }
    }
}
