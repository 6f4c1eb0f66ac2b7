import FoundationEssentials

/// Where the brokers are, who asks, and how long each kind of call may take.
package struct BrokerConfiguration: Sendable {
    package struct Host: Sendable, Equatable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// The nodes of one cluster, tried in turn.
    package var hosts: [Host]
    package var user: String
    package var password: String
    package var virtualHost: String
    /// What operators see beside the connection.
    package var connectionName: String
    /// The silence after which a peer is asked; it is lost after twice as much.
    package var heartbeat: Duration = .seconds(5)
    package var connectTimeout: Duration = .seconds(5)
    package var rpcTimeout: Duration = .seconds(5)
    /// How long a batch may wait for its confirms, and how long a single library call may block.
    package var confirmTimeout: Duration = .seconds(15)
    /// The same for a connection that has not confirmed anything yet; it doubles with each such connection in a row.
    ///
    /// A broker that has just started takes messages for queues that have no leader yet, and may lose them without a word.
    package var firstConfirmTimeout: Duration = .seconds(2)
    /// The most bytes that are kept of a message's body; of a larger one only the head is (`Delivery.isCut`).
    package var bodyLimit = 128 * 1024
    /// The bytes of bodies that wait in a consumer before it stops reading; the broker and TCP keep the rest.
    package var waitingLimit = 32 * 1024 * 1024

    package init(hosts: [Host], user: String, password: String, virtualHost: String, connectionName: String) {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.connectionName = connectionName
    }

    /// Reads `amqp://user:password@host:port/vhost`, or several of them with commas between, for one cluster.
    ///
    /// Missing parts default to `guest:guest`, port 5672 and virtual host `/`. TLS and parameters are refused.
    package init(url: String, connectionName: String = "swift") throws(BrokerError) {
        var parts: [Location] = []
        for piece in url.split(separator: ",", omittingEmptySubsequences: false) {
            parts.append(try Location(String(piece)))
        }
        guard let first = parts.first, parts.allSatisfy(first.isSameCluster) else {
            throw Self.invalid("the addresses of one cluster must share user, password and virtual host")
        }
        self.init(
            hosts: parts.map(\.host), user: first.user, password: first.password, virtualHost: first.virtualHost,
            connectionName: connectionName)
    }

    fileprivate static func invalid(_ detail: String) -> BrokerError {
        BrokerError(.invalidConfiguration, during: "reading the broker's address", detail)
    }
}

/// One `amqp://` address, decoded; errors say what is wrong without repeating it, for it holds a password.
private struct Location {
    let host: BrokerConfiguration.Host
    let user: String
    let password: String
    let virtualHost: String

    init(_ text: String) throws(BrokerError) {
        let trimmed = text.trimmingCharacters { $0.isWhitespace }
        guard let parts = URLComponents(string: trimmed, encodingInvalidCharacters: false), let scheme = parts.scheme
        else {
            throw BrokerConfiguration.invalid("not a URL")
        }
        guard scheme == "amqp" else {
            throw BrokerConfiguration.invalid("the scheme must be amqp, not \(scheme)")
        }
        guard let name = parts.host, !name.isEmpty else { throw BrokerConfiguration.invalid("no host") }
        guard parts.query == nil, parts.fragment == nil else {
            throw BrokerConfiguration.invalid("parameters are not supported")
        }
        let port = parts.port ?? 5672
        guard (1...65_535).contains(port) else { throw BrokerConfiguration.invalid("port \(port) is impossible") }
        host = .init(host: name.trimmingCharacters { $0 == "[" || $0 == "]" }, port: port)
        user = parts.user ?? "guest"
        password = parts.password ?? "guest"
        let path = parts.percentEncodedPath.dropFirst()
        guard !path.contains("/"), let decoded = Self.decode(path) else {
            throw BrokerConfiguration.invalid("the virtual host must be one percent-encoded path element")
        }
        virtualHost = decoded.isEmpty ? "/" : decoded
        guard ![user, password, virtualHost].contains(where: { $0.contains("\0") }) else {
            throw BrokerConfiguration.invalid("a zero byte")
        }
    }

    private static func decode(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                bytes += character.utf8
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy(\.isHexDigit), let byte = UInt8(digits, radix: 16) else {
                return nil
            }
            bytes.append(byte)
            rest.removeFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    func isSameCluster(as other: Location) -> Bool {
        user == other.user && password == other.password && virtualHost == other.virtualHost
    }
}

extension String {
    fileprivate func trimmingCharacters(where isUnwanted: (Character) -> Bool) -> String {
        String(drop(while: isUnwanted).reversed().drop(while: isUnwanted).reversed())
    }
}

extension BrokerConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address without the password.
    package var description: String {
        "amqp://\(user)@\(hosts.map { "\($0.host):\($0.port)" }.joined(separator: ","))/\(virtualHost)"
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}
