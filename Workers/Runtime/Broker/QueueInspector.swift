import AsyncHTTPClient
import Contracts
import FoundationEssentials
import Logging
import NIOCore
import NIOFoundationEssentialsCompat
import RabbitMQ
import Topology

/// One queue as the broker sees it; what only the management API knows is nil without it.
package struct QueueReading: Sendable, Codable {
    package enum Purpose: String, Sendable, Codable { case work, retry, dead }

    /// The queues that lanes consume.
    package static let workQueues = Queue.all.map(\.name)

    package let name: String
    package let purpose: Purpose
    package let ready: Int
    package let consumers: Int
    package let unacked: Int?
    package let publishedPerSecond: Double?
    package let deliveredPerSecond: Double?
    /// Since the broker started to count.
    package let acknowledged: Int?
    /// How long the oldest message has been there at least; nil also for an empty queue.
    package var oldestAgeSeconds: Int?
}

/// Reads every queue of the fleet: from the management API where there is one, else by passive declares.
package struct QueueInspector: Sendable {
    private let broker: BrokerConfiguration
    private let managementURL: String?
    private let logger: Logger

    package init(_ settings: Settings, logger: Logger) throws {
        broker = try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile orchestrator: inspection")
        managementURL = settings.managementURL
        self.logger = logger
    }

    package func queues() async throws -> [QueueReading] {
        guard let managementURL else { return try await declared() }
        do {
            return try await managed(managementURL)
        } catch {
            logger.warning("the management API cannot be read", metadata: ["error": "\(error)"])
            return try await declared()
        }
    }

    private func declared() async throws -> [QueueReading] {
        try await Administrator(broker, logger: logger).lent { administrator in
            try await administrator.open()
            var readings: [QueueReading] = []
            for queue in Declarations.queues {
                guard let (ready, consumers) = try await Self.count(queue.name, administrator) else { continue }
                readings.append(
                    QueueReading(
                        name: queue.name, purpose: .init(of: queue.name), ready: ready, consumers: consumers,
                        unacked: nil, publishedPerSecond: nil, deliveredPerSecond: nil, acknowledged: nil))
            }
            return readings
        }
    }

    /// Nil for a queue that is not there.
    private static func count(_ queue: String, _ administrator: Administrator) async throws -> (Int, Int)? {
        do throws(BrokerError) {
            let (ready, consumers) = try await administrator.checkQueue(queue)
            return (ready, consumers)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func managed(_ url: String) async throws -> [QueueReading] {
        let host = broker.virtualHost.percentEncoded
        guard var location = URLComponents(string: url) else { throw UnreadableManagement(status: 0) }
        let credentials = Data("\(location.user ?? "guest"):\(location.password ?? "guest")".utf8).base64EncodedString()
        location.user = nil
        location.password = nil
        location.percentEncodedPath = "/api/queues/\(host)"
        location.queryItems = [URLQueryItem(name: "columns", value: ManagedQueue.columns)]
        var request = HTTPClientRequest(url: location.string ?? url)
        // Queues are so much alike that their list, compressed, looks like a decompression bomb to the client.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        request.headers.add(name: "Authorization", value: "Basic \(credentials)")
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
        guard response.status == .ok else { throw UnreadableManagement(status: response.status.code) }
        let body = Data(buffer: try await response.body.collect(upTo: 16 << 20))
        let known = try WireFormat.decode([ManagedQueue].self, from: body)
        let byName = Dictionary(known.map { ($0.name, $0) }) { first, _ in first }
        return Declarations.queues.compactMap { queue in byName[queue.name]?.reading }
    }
}

/// The management API answered something else than queues.
package struct UnreadableManagement: Error {
    package let status: UInt
}

private struct ManagedQueue: Decodable {
    static let columns = """
        name,messages_ready,messages_unacknowledged,consumers,message_stats.publish_details.rate,\
        message_stats.deliver_get_details.rate,message_stats.ack
        """

    struct Statistics: Decodable {
        struct Rate: Decodable { let rate: Double }

        let publish_details: Rate?
        let deliver_get_details: Rate?
        let ack: Int?
    }

    let name: String
    let messages_ready: Int?
    let messages_unacknowledged: Int?
    let consumers: Int?
    let message_stats: Statistics?

    var reading: QueueReading {
        QueueReading(
            name: name, purpose: .init(of: name), ready: messages_ready ?? 0, consumers: consumers ?? 0,
            unacked: messages_unacknowledged ?? 0, publishedPerSecond: message_stats?.publish_details?.rate ?? 0,
            deliveredPerSecond: message_stats?.deliver_get_details?.rate ?? 0,
            acknowledged: message_stats?.ack ?? 0)
    }
}

extension QueueReading.Purpose {
    init(of queue: String) {
        self = queue.hasSuffix(".dead") ? .dead : queue.contains(".retry.") ? .retry : .work
    }
}

extension String {
    /// Percent-encodes everything that is not a letter or digit of ASCII.
    fileprivate var percentEncoded: String {
        utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" {
                return String(scalar)
            }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" + digits : digits)
        }.joined()
    }
}
